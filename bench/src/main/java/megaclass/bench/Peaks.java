// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.KernelMemory.NUM_ROWS;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What the machine can do at most: what kernels are held against. */
final class Peaks {
  static final String FMA = "peak: fused multiply-add";
  static final String COUNT = "peak: xor, popcount, add";
  static final String COPY = "peak: memory copy";
  static final String READ = "peak: memory read";
  static final String RANDOM_READ = "peak: random rows read";
  static final String RANDOM_CHANGE = "peak: random rows changed";
  static final String RANDOM_PAIRS = "peak: random pairs of rows changed";
  static final String LATENCY = "peak: loads one after the other";
  private static final String BYTES = "GB/s";
  private static final int TURNS = 10_000;
  private static final int LOADS = 1_000;
  private static final double LOADS_PER_M = 1e-6;

  private Peaks() {}

  static List<Kernel> all() {
    return List.of(
        Kernel.peak(
            FMA,
            "GF/s",
            _ -> FmaPeak.operations(TURNS),
            (_, m) -> FmaPeak.run(TURNS, m.fmaValues),
            m -> MemorySegment.ofArray(m.fmaValues)),
        Kernel.peak(
            COUNT,
            "G words/s",
            _ -> CountPeak.words(TURNS),
            (_, m) -> CountPeak.run(TURNS, m.countValues),
            m -> CodeMemory.asFloats(m.countValues)),
        Kernel.peak(
            COPY,
            BYTES,
            m -> 2.0 * m.copyFrom.byteSize(), // read and written
            (_, m) -> MemorySegment.copy(m.copyFrom, 0, m.copyTo, 0, m.copyFrom.byteSize()),
            m -> m.copyTo),
        Kernel.peak(
            READ,
            BYTES,
            m -> m.copyFrom.byteSize(),
            (_, m) -> MemoryPeaks.read(m.copyFrom.address(), m.copyFrom.byteSize(), m.readSums),
            m -> MemorySegment.ofArray(m.readSums)),
        Kernel.peak(
            RANDOM_READ,
            BYTES,
            m -> 4.0 * NUM_ROWS * m.stride,
            (_, m) -> {
              m.nextRandomRows();
              MemoryPeaks.readRows(m.rows, 4L * m.stride, m.readSums);
            },
            m -> MemorySegment.ofArray(m.readSums)),
        changed(RANDOM_CHANGE, 1),
        changed(RANDOM_PAIRS, 2),
        Kernel.peak(
            LATENCY,
            "M loads/s",
            _ -> LOADS * LOADS_PER_M * 1e9,
            (_, m) -> m.chain = MemoryPeaks.follow(m.links, m.chain, LOADS),
            m -> MemorySegment.ofArray(new float[] {m.chain})));
  }

  /** Weights alone, or weights and the velocities that lie behind them: read, and written. */
  private static Kernel changed(String name, int rows) {
    return Kernel.peak(
        name,
        BYTES,
        m -> 2 * rows * 4.0 * NUM_ROWS * m.stride,
        (_, m) -> {
          m.nextRandomRows();
          MemoryPeaks.changeRows(m.rows, rows * 4L * m.stride);
        },
        KernelMemory::lastRow);
  }
}
