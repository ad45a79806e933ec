// spawner.mjs COUNT PROGRAM ARGUMENT…: spawns the program that often, one after the other, and prints the lengths in ms.
// For programs that run only in another view of the machine than the bench's own.
import { calling, spawned } from './contestants.js';

const WARM_UPS = 3;

const [count = '1', ...command] = process.argv.slice(2);
const contestant = calling('', () => spawned(command));
await contestant.lives(WARM_UPS);
console.log(JSON.stringify(await contestant.lives(Number(count))));
