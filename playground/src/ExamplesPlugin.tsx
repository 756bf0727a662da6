import { useGraphiQL, useGraphiQLActions, type GraphiQLPlugin } from '@graphiql/react';

import { examples, type Example } from './examples';

/** The pane that lists the examples, so that a tab that was edited or closed can be had again. */
export const examplesPlugin: GraphiQLPlugin = {
  title: 'Examples',
  icon: Icon,
  content: Examples,
};

function Icon() {
  return (
    <svg viewBox="0 0 14 14" fill="none" stroke="currentColor" strokeWidth="1.3" aria-hidden="true">
      <path d="M2 1.5h4a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 0 6 11H2z" />
      <path d="M12.5 1.5h-3.5A1.5 1.5 0 0 0 7.5 3v9.5A1.5 1.5 0 0 1 9 11h3.5z" />
    </svg>
  );
}

function Examples() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  // The editors own the text of the active tab; the tab follows what is typed into them.
  const open = ({ query, variables }: Example) => {
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables ?? '');
  };
  return (
    <section aria-label="Examples" className="tandem-examples">
      <div className="graphiql-doc-explorer-title">Examples</div>
      <p>Each runs against the sandbox as it is. Opens in a new tab.</p>
      <ul>
        {examples.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => open(example)}>
              <strong>{example.title}</strong>
              <span>{example.summary}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
