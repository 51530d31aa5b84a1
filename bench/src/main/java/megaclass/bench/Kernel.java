// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import static megaclass.bench.KernelMemory.NUM_PANELS;
import static megaclass.bench.KernelMemory.NUM_ROWS;
import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import megaclass.compute.ComputeBackend;

/**
 * Something that is measured. A call works on a tile, as the softmax head does: 128 classes with
 * 256 samples; or on a tile of codes, see {@link CodeScans}.
 *
 * @param name in results
 * @param unit of its rate
 * @param work of one call, in 1e-9 of the unit
 * @param peak name of the kernel that says how fast it could be, or "" when there is none
 * @param peakWork what one call would count for that one
 * @param body one call
 * @param output what a call has written, to be held against that of another backend
 */
record Kernel(
    String name,
    String unit,
    ToDoubleFunction<KernelMemory> work,
    String peak,
    ToDoubleFunction<KernelMemory> peakWork,
    Body body,
    Function<KernelMemory, MemorySegment> output) {
  /** exp, its limits and the sum: 9 multiplications or additions, 6 other operations. */
  private static final int OPERATIONS_OF_EXP = 15;

  /** Rows that are summed at once, as tokens of a bag. */
  private static final int TOKENS = 16;

  /** One call on the operands of one thread. */
  @FunctionalInterface
  interface Body {
    void call(ComputeBackend backend, KernelMemory memory);
  }

  /**
   * The peaks, what comes before the head, the kernels of the head in the order in which a step
   * calls them, then those of codes.
   */
  static List<Kernel> all() {
    var tiles =
        List.of(
            product("logits, rows in a cache", Kernel::logitsOfCached, KernelMemory::allTiles),
            product("logits, rows in order", Kernel::logitsInOrder, KernelMemory::allTiles),
            product("logits, random rows", Kernel::logitsOfRandomRows, KernelMemory::allTiles),
            new Kernel(
                "exp and sum",
                "G elements/s",
                _ -> (double) NUM_ROWS * PANEL * NUM_PANELS,
                Peaks.FMA,
                _ -> 2.0 * OPERATIONS_OF_EXP * NUM_ROWS * PANEL * NUM_PANELS,
                Kernel::expAndSum,
                KernelMemory::allTiles),
            product(
                "embedding gradient",
                Kernel::embeddingGradient,
                KernelMemory::allEmbeddingGradients),
            product("weight gradient", Kernel::weightGradient, KernelMemory::allRowGradients),
            // Gradients come from the cache; weights and velocities are read and written.
            rows("momentum step, rows in order", 4, Peaks.COPY, Kernel::momentumInOrder),
            rows("momentum step, random rows", 4, Peaks.RANDOM_PAIRS, Kernel::momentumOfRandomRows),
            rows("catch-up, random rows", 4, Peaks.RANDOM_PAIRS, Kernel::catchUpOfRandomRows),
            // AdaGrad reads and writes the weights alone.
            rows("scaled add, random rows", 2, Peaks.RANDOM_CHANGE, Kernel::addToRandomRows),
            new Kernel(
                "bag, sums of 16 random rows",
                "GB/s",
                m -> 4.0 * NUM_ROWS * m.stride,
                Peaks.RANDOM_READ,
                m -> 4.0 * NUM_ROWS * m.stride,
                Kernel::sumRandomRows,
                KernelMemory::allRowGradients));
    var batches =
        List.of(
            new Kernel(
                "reading and packing a batch",
                "GB/s",
                m -> 4.0 * BatchMemory.BATCH * m.dim,
                Peaks.RANDOM_READ,
                m -> 4.0 * BatchMemory.BATCH * m.dim,
                (_, m) -> m.batches.readBatch(),
                m -> m.batches.embeddings()),
            new Kernel(
                "union of candidates",
                "M classes/s",
                _ -> BatchMemory.NUM_ACTIVE * 1e3,
                "",
                _ -> 0,
                (_, m) -> m.batches.listActiveClasses(),
                m -> m.batches.activeClasses()));
    return Stream.of(Peaks.all(), batches, tiles, CodeScans.all()).flatMap(List::stream).toList();
  }

  /** A kernel that says how fast others could be. */
  static Kernel peak(
      String name,
      String unit,
      ToDoubleFunction<KernelMemory> work,
      Body body,
      Function<KernelMemory, MemorySegment> output) {
    return new Kernel(name, unit, work, "", work, body, output);
  }

  private static Kernel product(
      String name, Body body, Function<KernelMemory, MemorySegment> output) {
    ToDoubleFunction<KernelMemory> work = m -> 2.0 * NUM_ROWS * NUM_PANELS * PANEL * m.dim;
    return new Kernel(name, "GF/s", work, Peaks.FMA, work, body, output);
  }

  private static Kernel rows(String name, int rowsOfTraffic, String peak, Body body) {
    ToDoubleFunction<KernelMemory> work = m -> 4.0 * rowsOfTraffic * NUM_ROWS * m.stride;
    return new Kernel(name, "GB/s", work, peak, work, body, KernelMemory::lastRow);
  }

  /** As a coarse probe, whose centroids stay in a cache. */
  private static void logitsOfCached(ComputeBackend backend, KernelMemory m) {
    for (int r = 0; r < NUM_ROWS; r++) {
      m.rows[r] = m.packed + 4L * m.packedStride * r;
    }
    logits(backend, m);
  }

  private static void logitsInOrder(ComputeBackend backend, KernelMemory m) {
    m.nextRows();
    logits(backend, m);
  }

  private static void logitsOfRandomRows(ComputeBackend backend, KernelMemory m) {
    m.nextRandomRows();
    logits(backend, m);
  }

  private static void logits(ComputeBackend backend, KernelMemory m) {
    for (int p = 0; p < NUM_PANELS; p++) {
      backend.logits(m.rows, NUM_ROWS, m.panel(p), m.dim, m.tile(p));
    }
  }

  /** In place, call after call: exp(x - 2) keeps x between 0 and 1, exp(x) would not. */
  private static void expAndSum(ComputeBackend backend, KernelMemory m) {
    for (int p = 0; p < NUM_PANELS; p++) {
      backend.expAndSum(m.tile(p), NUM_ROWS, m.lanes(m.offsets, p), m.lanes(m.sums, p));
    }
  }

  private static void embeddingGradient(ComputeBackend backend, KernelMemory m) {
    for (int p = 0; p < NUM_PANELS; p++) {
      backend.embeddingGradient(
          m.packed, m.packedStride, m.tile(p), NUM_ROWS, m.stride, m.embeddingGradient(p));
    }
  }

  private static void weightGradient(ComputeBackend backend, KernelMemory m) {
    backend.weightGradient(
        m.tile(0), NUM_PANELS, NUM_ROWS, m.blocks, m.numBlocks, m.rowGradient(0));
  }

  private static void momentumInOrder(ComputeBackend backend, KernelMemory m) {
    m.nextRows();
    momentum(backend, m);
  }

  private static void momentumOfRandomRows(ComputeBackend backend, KernelMemory m) {
    m.nextRandomRows();
    momentum(backend, m);
  }

  private static void momentum(ComputeBackend backend, KernelMemory m) {
    for (int r = 0; r < NUM_ROWS; r++) {
      backend.momentumStep(
          m.rows[r], m.velocities[r], m.rowGradient(r), m.stride, 1e-3f, 0.9f, 1e-4f, false);
    }
  }

  private static void catchUpOfRandomRows(ComputeBackend backend, KernelMemory m) {
    m.nextRandomRows();
    for (int r = 0; r < NUM_ROWS; r++) {
      backend.transform(m.rows[r], m.velocities[r], m.stride, 0.9f, 1e-4f, -1e-3f, 1f);
    }
  }

  private static void addToRandomRows(ComputeBackend backend, KernelMemory m) {
    m.nextRandomRows();
    for (int r = 0; r < NUM_ROWS; r++) {
      backend.addScaled(m.rowGradient(r), 1e-3f, m.stride, m.rows[r]);
    }
  }

  private static void sumRandomRows(ComputeBackend backend, KernelMemory m) {
    m.nextRandomRows();
    for (int r = 0; r < NUM_ROWS; r += TOKENS) {
      backend.sum(m.rows, r, r + TOKENS, m.stride, m.rowGradient(r));
    }
  }
}
