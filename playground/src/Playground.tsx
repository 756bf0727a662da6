import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';

import { EditorDefaults } from './EditorDefaults';
import { Logo } from './Logo';
import { examplesPlugin } from './ExamplesPlugin';
import { examples } from './examples';
import { fetcher } from './fetcher';

const plugins = [examplesPlugin, HISTORY_PLUGIN, explorerPlugin()];
const tabs = examples.map(({ query, variables }) => ({ query, variables }));

export function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      defaultTabs={tabs}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>
        <Logo />
        <EditorDefaults />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}
