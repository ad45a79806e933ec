export const AFTER_HELP = `
Examples:
  nsbox run -- npm test              what it writes stays in the sandbox
  nsbox run -it debian:12            look around in an image
  nsbox run -it -- bash              or among this machine's own files
  nsbox doctor                       what works here, and how to get the rest
  source <(nsbox completion bash)    completions for this shell

Environment:
  NSBOX_DEBUG=1    show where an error comes from
  NO_COLOR=1       no colours

See nsbox help run.
`;

export const AFTER_RUN_HELP = `
The command sees an image, or behind -- this machine's own files, copy-on-write:
whatever it writes is gone with it. Of this machine's files, home directories,
/run and /tmp look empty; the current directory is to be seen, unless it is a
home itself. There is no network. Nothing of the environment is passed on.
stdin, stdout and stderr are used as they are.

An image is pulled where it is not here yet, and says which command, user,
directory and environment are meant where nothing else is said.

Options end at the image or --: nsbox run debian ls --all gives --all to ls.

Signals INT, TERM, HUP, QUIT, USR1 and USR2 go to the command; a second INT
kills it.

Exit codes:
  the command's own, or
  124      it ran longer than --timeout
  125      nsbox itself failed: the line after "nsbox:" says why
  126      the command cannot be executed
  127      there is no such command
  128+N    signal N ended it: 137 is KILL, also for want of memory

Examples:
  nsbox run -- node -p 'process.pid'
  nsbox run debian:12 cat /etc/os-release
  echo hi | nsbox run -- cat
  nsbox run --memory 256m --cpus 0.5 --pids-limit 64 --timeout 30s -- npm test
  nsbox run --diff --apply dist -- npm run build
  nsbox run -it --network host -v ~/.npmrc:/root/.npmrc:ro node:24 bash
  nsbox run --rootfs ./alpine sh -c 'cat /etc/os-release'
  nsbox run --json -- npm ls | jq .usage
`;

export const AFTER_RUNTIME_HELP = `
Everything goes to nsbox-runtime as it stands, and its exit code comes back.
See nsbox runtime --help.

Examples:
  nsbox runtime spec
  nsbox runtime run --bundle ./bundle one
  podman --runtime "$(nsbox runtime-path)" run --rm alpine true
`;
