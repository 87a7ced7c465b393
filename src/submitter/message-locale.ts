/**
 * In which language and character set the user's compiler prints. A worker has no locales installed in its
 * view; it can print as in `C` and, where the C library has it built in, `C.UTF-8`. What the user would see
 * in another locale is printed by the local compiler instead.
 */
import type { RunCommand } from '../include-scan/index.ts';

/** How messages of one environment can be reproduced elsewhere. */
export interface MessageLocale {
  /** Variables for the worker in place of the user's own. */
  readonly environment: readonly string[];
  /** False if a worker's messages would differ: jobs that print anything are then repeated locally. */
  readonly isReproducible: boolean;
  /** For people. */
  readonly description: string;
}

const LOCALE_VARIABLES = ['LC_ALL', 'LC_MESSAGES', 'LC_CTYPE', 'LANG', 'LANGUAGE'] as const;

const PLAIN: MessageLocale = { environment: [], isReproducible: true, description: 'C' };
const PLAIN_UTF8: MessageLocale = {
  environment: ['LC_ALL=C.UTF-8'],
  isReproducible: true,
  description: 'C.UTF-8',
};

/** Languages in which GCC prints its own, untranslated texts. */
const UNTRANSLATED = /^(?:C|POSIX|en)(?:[_.@]|$)/;

export class MessageLocales {
  readonly #run: RunCommand;
  readonly #known = new Map<string, Promise<MessageLocale>>();

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /** True for a `NAME=value` that {@link of} has an answer for. */
  decides(entry: string): boolean {
    const name = entry.slice(0, entry.indexOf('='));
    return (LOCALE_VARIABLES as readonly string[]).includes(name);
  }

  /** The locale of an environment; asked of the C library once per combination of variables. */
  of(env: Readonly<Record<string, string | undefined>>): Promise<MessageLocale> {
    const set = LOCALE_VARIABLES.filter((name) => env[name] !== undefined && env[name] !== '');
    const entries = set.map((name) => `${name}=${env[name]}`);
    const language = env.LC_ALL || env.LC_MESSAGES || env.LANG || 'C';
    const characters = env.LC_ALL || env.LC_CTYPE || env.LANG || 'C';
    if (isPlain(language) && isPlain(characters)) return Promise.resolve(PLAIN);
    const key = entries.join('\0');
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#ask(entries, language, env.LANGUAGE);
      this.#known.set(key, known);
    }
    return known;
  }

  async #ask(
    entries: readonly string[],
    language: string,
    preferred: string | undefined,
  ): Promise<MessageLocale> {
    const description = entries.join(' ');
    const translated =
      !UNTRANSLATED.test(language) ||
      (preferred ?? '').split(':').some((name) => name !== '' && !UNTRANSLATED.test(name));
    if (translated) return { environment: [], isReproducible: false, description };
    const charmap = await this.#charmap(entries);
    // A locale that is named but not installed counts as C.
    if (charmap === 'ANSI_X3.4-1968') return PLAIN;
    if (charmap === 'UTF-8') return PLAIN_UTF8;
    return { environment: [], isReproducible: false, description };
  }

  async #charmap(entries: readonly string[]): Promise<string | undefined> {
    try {
      const command = {
        executable: '/usr/bin/locale',
        argv: ['locale', 'charmap'],
        environment: entries,
        workingDirectory: '/',
      };
      const answer = await this.#run(command, new AbortController().signal);
      return answer.exitStatus === 0 ? answer.stdout.toString('latin1').trim() : undefined;
    } catch {
      return undefined;
    }
  }
}

function isPlain(locale: string): boolean {
  return locale === 'C' || locale === 'POSIX';
}
