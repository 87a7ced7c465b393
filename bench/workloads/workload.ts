/** What a workload is: a real source tree, prepared below a cache directory, and how to build it. */

/** Where progress lines go. */
export type Log = (line: string) => void;

/** A source tree that is ready to be built. */
export interface PreparedTree {
  /** The workload's name; names its reference and its logs. */
  readonly name: string;
  /** Absolute; the build runs here. */
  readonly directory: string;
  /** Changes when the tree was prepared from other sources or with another configuration. */
  readonly recipe: string;
  /** The command, argv form, that builds the tree from clean with that many parallel jobs. */
  build(jobs: number): readonly string[];
  /** Removes everything that a build made, so that the next one makes it again. */
  clean(): Promise<void>;
  /** The objects and depfiles that exist now, relative to the directory, sorted. */
  objects(): Promise<string[]>;
}

/** A source tree that builds can be measured and checked with. */
export interface Workload {
  readonly name: string;
  /** One line for `--help` and the documents. */
  readonly description: string;
  /** Programs that must be on the PATH. */
  readonly programs: readonly string[];
  /** Debian packages with those programs, and with the libraries that are linked. */
  readonly packages?: readonly string[];
  /** True if preparing or building it needs root. */
  readonly needsRoot?: boolean;
  /**
   * Fetches, unpacks and configures the sources below `cacheDirectory`, unless that was done before.
   * @throws BenchError if the sources cannot be had or do not configure
   */
  prepare(cacheDirectory: string, log: Log): Promise<PreparedTree>;
}
