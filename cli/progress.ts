import { DefaultRenderer, Listr, ListrLogger, ProcessOutput } from 'listr2';

/** A task that says how far it is. */
type Task<Result> = (say: (text: string) => void) => Promise<Result>;

/** Runs a task and shows that it is in progress. */
export type Progress = <Result>(title: string, task: Task<Result>) => Promise<Result>;

/** Whether there is a terminal is decided for the stream that is written to. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

/** Lets other messages pass, such as that of Ctrl-C. */
class OpenOutput extends ProcessOutput {
  override hijack(): void {}
  override release(): void {}
}

const showCursor = '\x1b[?25h';

/** Shows progress in a terminal, and removes it when the task ends. Elsewhere it shows nothing. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  return async <Result>(title: string, task: Task<Result>) => {
    if (!stream.isTTY) return task(() => undefined);
    const result = Promise.withResolvers<Result>();
    const processOutput = new OpenOutput(stream, stream);
    // The cursor is hidden meanwhile. A signal may end the process at any time.
    const restore = () => void stream.write(showCursor);
    process.once('exit', restore);
    await new Listr(
      [
        {
          title,
          task: async (_, line) => {
            await task((text) => {
              line.title = `${title}: ${text}`;
            }).then(result.resolve, result.reject);
          },
        },
      ],
      {
        // A signal ends the whole command.
        registerSignalListeners: false,
        renderer: LiveRenderer,
        rendererOptions: { clearOutput: true, logger: new ListrLogger({ useIcons: true, processOutput }) },
      },
    ).run();
    process.off('exit', restore);
    return result.promise;
  };
}
