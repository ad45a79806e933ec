// All that is loaded when a command is about images.

export { importRoot, load, save } from './archives.js';
export { history } from './history.js';
export { inspect } from './inspect.js';
export { list } from './list.js';
export { login, logout } from './login.js';
export { prune, remove, tag, verify } from './names.js';
export { pull } from './pull.js';
export { push } from './push.js';
