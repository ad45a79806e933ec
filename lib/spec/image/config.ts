import { nonEmpty, strings } from '../checks.js';
import { checkDigest, type Digest } from '../digest.js';
import {
  array,
  boolean,
  type Check,
  integer,
  matching,
  nullable,
  object,
  oneOf,
  record,
  text,
} from '../validate.js';
import { parseDocument } from './document.js';

/**
 * What an image says of itself: how to run it, and what its layers are before compression.
 *
 * @see image-spec, config.md
 */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly variant?: string;
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly config?: ImageExecution;
  readonly rootfs: ImageRootfs;
  readonly history?: readonly ImageHistory[];
}

/** Defaults for containers. The fields after `ArgsEscaped` are Docker's own. */
export interface ImageExecution {
  /** `user`, `uid`, each with `:group` or `:gid`. */
  readonly User?: string;
  /** Keys such as `80/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  /** Keys are paths in the container. */
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: ImageHealthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
  /** In seconds. */
  readonly StopTimeout?: number;
}

/** Times in nanoseconds; 0 means the default. */
export interface ImageHealthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', script]`. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface ImageRootfs {
  readonly type: 'layers';
  /** Digests of the layers' uncompressed tar archives, lowest first. */
  readonly diff_ids: readonly Digest[];
}

export interface ImageHistory {
  readonly created?: string;
  readonly author?: string;
  readonly created_by?: string;
  readonly comment?: string;
  /** This step made no layer. */
  readonly empty_layer?: boolean;
}

// RFC 3339, section 5.6.
const dateTime = matching(
  /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/,
  'a date and time as of RFC 3339',
);

const emptyObject = object<object>({}, {});
const nanoseconds = nullable(integer(0, Number.MAX_SAFE_INTEGER));
const list = nullable(strings);

const execution = object<ImageExecution>(
  {},
  {
    User: text,
    ExposedPorts: nullable(record(emptyObject, nonEmpty)),
    Env: list,
    Entrypoint: list,
    Cmd: list,
    Volumes: nullable(record(emptyObject, nonEmpty)),
    WorkingDir: text,
    Labels: nullable(record(text)),
    StopSignal: text,
    ArgsEscaped: boolean,
    Healthcheck: nullable(
      object<ImageHealthcheck>(
        {},
        {
          Test: list,
          Interval: nanoseconds,
          Timeout: nanoseconds,
          StartPeriod: nanoseconds,
          StartInterval: nanoseconds,
          Retries: nanoseconds,
        },
      ),
    ),
    OnBuild: list,
    Shell: list,
    StopTimeout: nullable(integer(0, 2 ** 31 - 1)),
  },
);

const history = object<ImageHistory>(
  {},
  { created: dateTime, author: text, created_by: text, comment: text, empty_layer: boolean },
);

/** Checks an image's configuration. Lists may be null, as Docker writes empty ones. */
export const checkImageConfig: Check<ImageConfig> = object<ImageConfig>(
  {
    architecture: text,
    os: text,
    rootfs: object<ImageRootfs>({ type: oneOf(['layers']), diff_ids: array(checkDigest) }, {}),
  },
  {
    'os.version': text,
    'os.features': list,
    variant: text,
    created: nullable(dateTime),
    author: text,
    config: nullable(execution),
    history: nullable(array(history)),
  },
);

/**
 * Reads and checks the text of an image's configuration.
 *
 * @throws {@link NsboxError} `ERR_INVALID_CONFIG`
 */
export function parseImageConfig(json: string, what = 'image configuration'): ImageConfig {
  return parseDocument(checkImageConfig, json, what);
}
