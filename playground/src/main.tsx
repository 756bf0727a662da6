// The workers must be known before any editor is made.
import 'graphiql/setup-workers/vite';

import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './theme.css';
import { Playground } from './Playground';

const root = document.getElementById('playground');
if (root === null) throw new Error('index.html has no #playground');
createRoot(root).render(<Playground />);
