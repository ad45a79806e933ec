export { withLock } from '../../util/lock.js';
