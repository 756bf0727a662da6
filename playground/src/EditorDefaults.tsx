import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

/** What GraphiQL has no setting for. Renders nothing; inside GraphiQL it reaches its state. */
export function EditorDefaults() {
  const editor = useGraphiQL((state) => state.queryEditor);
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();

  // Long comments wrap instead of running out of a narrow window.
  useEffect(() => editor?.updateOptions({ wordWrap: 'on', wrappingIndent: 'same' }), [editor]);

  // The page follows the system's theme at once, the editors only when the theme is set.
  useEffect(() => {
    if (theme !== null) return undefined;
    const system = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(null);
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, [theme, setTheme]);

  return null;
}
