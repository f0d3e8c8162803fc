import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io.js';

/** Progress is for a person who waits. */
export interface Progress {
  told(done: number, size: number): void;
  /** Leaves the line to what follows. */
  end(): void;
}

const FORMAT = '{bar} {percentage} % | {value} / {total} bản ghi / records | {eta_formatted}';

function bar(terminal: NodeJS.WritableStream): Progress {
  const shown = new SingleBar(
    { format: FORMAT, stream: terminal, hideCursor: true, barsize: 30, etaBuffer: 50 },
    Presets.shades_classic,
  );
  let started = false;
  return {
    told(done, size) {
      if (!started) shown.start(size, 0);
      started = true;
      shown.update(done);
    },
    end: () => shown.stop(),
  };
}

/** A line for every twentieth at most. */
function lines(io: Io): Progress {
  let told = 0;
  return {
    told(done, size) {
      const percent = Math.floor((done / size) * 100);
      if (percent < told + 5) return;
      told = percent;
      io.err(`${percent} %: ${done} of ${size} records`);
    },
    end: () => undefined,
  };
}

/** A bar on a terminal, lines elsewhere. */
export function progressFor(io: Io): Progress {
  return io.terminal === undefined ? lines(io) : bar(io.terminal);
}
