/** Macro definitions taken out of a text, for the few macros that computed includes depend on. */
import { visitDirectives } from './directives.ts';
import {
  hasTrigraphs,
  isWordPart,
  joinLines,
  replaceTrigraphs,
  restOfDirective,
  skipBlanks,
} from './logical-lines.ts';

/** One definition of a macro. */
export interface MacroDefinition {
  readonly name: string;
  /** Undefined for an object-like macro. The name of a variadic parameter is without its dots. */
  readonly parameters: readonly string[] | undefined;
  /** The last parameter takes all further arguments. */
  readonly isVariadic: boolean;
  /** The replacement, comments removed. */
  readonly body: string;
}

/**
 * The definitions of some macros in a file's text, each as often as it is defined.
 * @param text decoded
 * @param wanted tells by name which are of interest
 */
export function macroDefinitionsIn(text: string, wanted: (name: string) => boolean): MacroDefinition[] {
  const found = definitionsIn(joinLines(text), wanted);
  if (hasTrigraphs(text)) found.push(...definitionsIn(joinLines(replaceTrigraphs(text)), wanted));
  return found;
}

function definitionsIn(text: string, wanted: (name: string) => boolean): MacroDefinition[] {
  const found: MacroDefinition[] = [];
  visitDirectives(text, (directive, directiveEnd) => {
    if (directive !== 'define') return;
    const start = skipBlanks(text, directiveEnd);
    let end = start;
    while (isWordPart(text.charCodeAt(end))) end++;
    const name = text.slice(start, end);
    if (name !== '' && wanted(name)) found.push(definitionOf(name, text, end));
  });
  return found;
}

function definitionOf(name: string, text: string, end: number): MacroDefinition {
  const rest = restOfDirective(text, end);
  // Only a parenthesis right behind the name opens a list of parameters.
  const close = text.charCodeAt(end) === 40 ? rest.indexOf(')') : -1;
  if (close < 0) return { name, parameters: undefined, isVariadic: false, body: rest };
  const list = rest.slice(1, close).trim();
  const parameters = list === '' ? [] : list.split(',').map((parameter) => parameter.trim());
  const last = parameters.at(-1);
  const isVariadic = last?.endsWith('...') === true;
  if (isVariadic && last !== undefined) {
    parameters[parameters.length - 1] = last === '...' ? '__VA_ARGS__' : last.slice(0, -3).trim();
  }
  return { name, parameters, isVariadic, body: rest.slice(close + 1).trim() };
}
