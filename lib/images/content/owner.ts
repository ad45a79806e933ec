export { isAlive, type Owner, ownerOf, ownName } from '../../util/owner.js';
