import { type Command, Option } from 'commander';

type MakeCommand = (name: string, description: string) => Command;
type Runner = (work: () => Promise<number>) => Promise<void>;

const load = (): Promise<typeof import('./image-commands.js')> => import('./image-commands.js');

/** The commands about images, of which most are docker's, and podman's. */
export function addImages(command: MakeCommand, start: Runner): void {
  addPull(command('pull', 'bring an image here'), start);
  addPush(command('push', 'send an image to its registry'), start);
  addList(command('images', 'list images'), start);
  addRemove(command('rmi', 'remove images, or names of theirs'), start);
  addTag(command('tag', 'give an image one more name'), start);
  command('inspect', 'show all that is known of images')
    .argument('<image...>', 'names or IDs')
    .option('-f, --format <TEMPLATE>', 'such as {{.Config.Cmd}} or {{json .Config}}')
    .action((names, flags) => start(async () => (await load()).inspect(names, flags)));
  addHistory(command('history', 'show how an image was made'), start);
  addArchives(command, start);
  addLogin(command, start);
  const image = command('image', 'keep the store of images in order');
  const further = (name: string, description: string): Command =>
    image.command(name).description(description).helpOption('--help', 'show this help');
  addList(further('ls', 'list images'), start);
  addRemove(further('rm', 'remove images, or names of theirs'), start);
  further('prune', 'remove what nobody names or uses')
    .option('-a, --all', 'also images with a name that no container uses')
    .option('-f, --force', 'accepted as docker has it: nothing is asked')
    .action((flags) => start(async () => (await load()).prune(flags)));
  further('verify', 'hash everything, and remove what is damaged')
    .option('--repair', 'and fetch it anew from the registries of the images’ names')
    .action((flags) => start(async () => (await load()).verify(flags)));
}

const QUIET = ['-q, --quiet', 'only the name at the end'] as const;
const FORMAT = ['--format <FORMAT>', 'table, json, or a template such as {{.ID}}'] as const;

function addPull(pull: Command, start: Runner): void {
  pull
    .argument('<image>', 'its name: debian:12, registry.example.org:5000/app@sha256:…')
    .option(...QUIET)
    .option('--platform <PLATFORM>', "which variant: linux/arm64 (default: this machine's)")
    .option('--all-platforms', 'keep all variants')
    .action((name, flags) => start(async () => (await load()).pull(name, flags)));
}

function addPush(push: Command, start: Runner): void {
  push
    .argument('<image>', 'its name, which tells the registry')
    .option(...QUIET)
    .action((name, flags) => start(async () => (await load()).push(name, flags)));
}

function addList(list: Command, start: Runner): void {
  list
    .argument('[repository]', 'only those: debian, debian:12, example.org/*')
    .option('-q, --quiet', 'only IDs')
    .option('-a, --all', 'accepted as docker has it: all are shown')
    .option('--digests', 'with what their registries name')
    .option('--no-trunc', 'whole IDs')
    .addOption(
      new Option('-f, --filter <FILTER>', 'reference=…, dangling=true, label=KEY=VALUE').argParser(
        (one: string, all: readonly string[] = []) => [...all, one],
      ),
    )
    .option(...FORMAT)
    .action((repository, flags) => start(async () => (await load()).list(repository, flags)));
}

function addRemove(remove: Command, start: Runner): void {
  remove
    .argument('<image...>', 'names or IDs')
    .option('-f, --force', 'all names, and though a container uses it')
    .action((names, flags) => start(async () => (await load()).remove(names, flags)));
}

function addTag(tag: Command, start: Runner): void {
  tag
    .argument('<image>', 'its name or ID')
    .argument('<name>', 'one more name')
    .action((source, target) => start(async () => (await load()).tag(source, target)));
}

function addHistory(history: Command, start: Runner): void {
  history
    .argument('<image>', 'its name or ID')
    .option('--no-trunc', 'whole steps and digests')
    .option(...FORMAT)
    .action((name, flags) => start(async () => (await load()).history(name, flags)));
}

function addArchives(command: MakeCommand, start: Runner): void {
  command('save', 'write images into an archive')
    .argument('<image...>', 'names or IDs')
    .option('-o, --output <FILE>', 'default: stdout')
    .option('--format <FORMAT>', 'docker-archive or oci-archive (default: docker-archive)')
    .action((names, flags) => start(async () => (await load()).save(names, flags)));
  command('load', 'take in the images of an archive')
    .option('-i, --input <FILE>', 'default: stdin')
    .option('-q, --quiet', 'say nothing')
    .action((flags) => start(async () => (await load()).load(flags)));
  command('import', 'make an image of the archive of a root')
    .argument('<file>', 'a tar archive, compressed or not; -: stdin')
    .argument('[name]', 'a name for it')
    .option('-m, --message <TEXT>', 'what its history says')
    .option('--platform <PLATFORM>', "what it is for (default: this machine's)")
    .action((file, name, flags) => start(async () => (await load()).importRoot(file, name, flags)));
}

function addLogin(command: MakeCommand, start: Runner): void {
  command('login', 'keep a login for a registry')
    .argument('[registry]', 'default: docker.io')
    .option('-u, --username <NAME>', 'asked for where it is not given')
    .option('-p, --password <PASSWORD>', 'seen by all on this machine: better --password-stdin')
    .option('--password-stdin', 'read the password from stdin')
    .action((registry, flags) => start(async () => (await load()).login(registry, flags)));
  command('logout', 'forget a login')
    .argument('[registry]', 'default: docker.io')
    .action((registry) => start(async () => (await load()).logout(registry)));
}
