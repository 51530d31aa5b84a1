// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import org.jspecify.annotations.Nullable;

/**
 * How the active classes of a batch are chosen on the device: {@link
 * megaclass.select.ClassSelector} for a {@link CudaHead}.
 */
interface DeviceChoice extends AutoCloseable {
  /**
   * What was chosen for a batch.
   *
   * @param classIds ascending, (numActive) ints on the device; null for all classes
   * @param numActive how many
   * @param targetPositions position of each sample's target among them, (batch) ints on the device
   * @param logWeights of the classes, (numActive) floats on the device; null for none
   * @param groups in which the batch is cut, with classes of their own: then these are the classes
   *     of all groups together, without log weights. Empty when all samples share these classes
   */
  record Chosen(
      @Nullable DeviceBuffer classIds,
      int numActive,
      DeviceBuffer targetPositions,
      @Nullable DeviceBuffer logWeights,
      List<Group> groups) {
    /** Classes that all samples share. */
    Chosen(
        @Nullable DeviceBuffer classIds,
        int numActive,
        DeviceBuffer targetPositions,
        @Nullable DeviceBuffer logWeights) {
      this(classIds, numActive, targetPositions, logWeights, List.of());
    }

    /** Some of them, as rows. */
    RowChoice rows(int from, int count) {
      return classIds == null ? RowChoice.range(from, count) : RowChoice.of(classIds, from, count);
    }

    /** Address of the log weights of those from a position on, or 0. */
    long logWeights(int from) {
      return logWeights == null ? 0 : logWeights.address() + 4L * from;
    }
  }

  /**
   * Samples of a batch that lie side by side on the device, and the classes that they alone compete
   * with.
   *
   * @param from the first of them
   * @param count how many
   */
  record Group(int from, int count, Chosen chosen) {}

  /**
   * In which order the samples of a batch are to lie on the device; asked before {@link #choose}.
   *
   * @param embeddings packed, (batch, dim)
   * @return the numbers of the samples, (batch)
   */
  default int[] order(Embeddings embeddings) {
    return IntStream.range(0, embeddings.size()).toArray();
  }

  /**
   * Chooses.
   *
   * @param samples of a batch, in their order
   * @param draw what is random follows from it: the number of the step, or another number for each
   *     group of each step
   */
  Chosen choose(DeviceSamples samples, long draw);

  /** Whether the choice reads the rows of all classes, which must be caught up before. */
  default boolean readsAllRows() {
    return false;
  }

  /** Called when the rows on the device have their initial values. */
  default void begin() {}

  /** Takes note that the rows of a choice have moved. */
  default void moved(Chosen chosen) {}

  /** Ends a step: what is stale is repaired. */
  default void endStep(long step) {}

  /** What a checkpoint has to keep, by name. */
  default Map<String, MemorySegment> state() {
    return Map.of();
  }

  /** Called instead of {@link #begin} when a run goes on, with what {@link #state} gave. */
  default void restore(Function<String, MemorySegment> sections) {}

  @Override
  void close();
}
