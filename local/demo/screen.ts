import { styleText } from 'node:util';
import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from 'listr2';

/** Shows the progress of one step. */
export interface Step {
  /** Replaces the title of the step. */
  title(text: string): void;
  /** In a terminal, shows `live` below the title in place of its previous text. Elsewhere, prints `line` as a new line. */
  say(line: string, live?: string): void;
}

export interface Work<T> {
  readonly title: string;
  readonly work: (step: Step) => Promise<T>;
  /** Its title says how long it took. @default true */
  readonly timed?: boolean;
}

/** Shows the progress to the user, with spinners in a terminal and with plain lines in a log. */
export interface Screen {
  step<T>(title: string, work: Work<T>['work']): Promise<T>;
  /** Runs all works at once and waits for all of them. Returns the result or the error of each. */
  steps<T>(works: readonly Work<T>[]): Promise<PromiseSettledResult<T>[]>;
  /** Columns of the terminal. 80 if they are not known. */
  readonly columns: number;
  print(text: string): void;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Shows the cursor of the terminal again, for a program that ends during a step. */
  release(): void;
}

export function createScreen(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Screen {
  const live = stream.isTTY && (!env.CI || env.CI === 'false');
  const print = (text: string) => void stream.write(`${text}\n`);
  const steps = <T>(works: readonly Work<T>[]) =>
    live ? runLive(works, stream) : Promise.allSettled(works.map((each) => runPlain(each, print)));
  return {
    steps,
    step: async (title, work) => {
      const [result] = await steps([{ title, work }]);
      if (result?.status === 'rejected') throw result.reason;
      return result?.value as Awaited<ReturnType<typeof work>>;
    },
    print,
    columns: stream.columns || Number(env.COLUMNS) || 80,
    bold: (text) => (live ? styleText('bold', text, { stream }) : text),
    dim: (text) => (live ? styleText('dim', text, { stream }) : text),
    release: () => void (live && stream.write(SHOW_CURSOR)),
  };
}

const SHOW_CURSOR = '\u001b[?25h';
/** Shorter times are not shown. */
const isNoticeable = (milliseconds = 0) => milliseconds >= 100;
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

async function runPlain<T>({ title, work, timed = true }: Work<T>, print: Screen['print']): Promise<T> {
  const start = Date.now();
  let current = title;
  print(current);
  try {
    const result = await work({
      title: (text) => {
        current = text;
      },
      say: (line) => print(`  ${line}`),
    });
    const took = Date.now() - start;
    print(timed && isNoticeable(took) ? `${current} [${seconds(took)}]` : current);
    return result;
  } catch (error) {
    // A step that has changed its title has said itself why it failed.
    print(current === title ? `${title}: failed` : current);
    throw error;
  }
}

/** Whether there is a terminal was decided for the stream that is written to, which may be standard error. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

const dim = (text = '') => styleText('dim', text);
const timer = {
  condition: isNoticeable,
  field: seconds,
  format: () => dim,
};

async function runLive<T>(works: readonly Work<T>[], stream: NodeJS.WriteStream): Promise<PromiseSettledResult<T>[]> {
  const results: Promise<T>[] = [];
  await new Listr(
    works.map(({ title, work, timed = true }) => ({
      title,
      task: async (_, task) => {
        const result = work({
          title: (text) => {
            task.title = text;
          },
          say: (line, text = line) => {
            if (text) task.output = text;
          },
        });
        results.push(result);
        await result;
      },
      rendererOptions: { ...(timed && { timer }) },
    })),
    {
      concurrent: true,
      exitOnError: false,
      // Ctrl-C is the demo's own business: it stops the local environment first.
      registerSignalListeners: false,
      renderer: LiveRenderer,
      rendererOptions: {
        // The message comes at the end, whole.
        showErrorMessage: false,
        logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stream, process.stderr) }),
      },
    },
  ).run();
  return Promise.allSettled(results);
}
