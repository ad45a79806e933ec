export { inParallel } from '../util/parallel.js';
