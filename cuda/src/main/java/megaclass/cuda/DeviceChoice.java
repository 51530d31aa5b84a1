// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
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
   * @param targetPositions position of each sample's target among them, address of (batch) ints
   * @param logWeights of the classes, (numActive) floats on the device; null for none
   */
  record Chosen(
      @Nullable DeviceBuffer classIds,
      int numActive,
      long targetPositions,
      @Nullable DeviceBuffer logWeights) {
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
   * Chooses.
   *
   * @param batch on the device
   * @param step number of the step, from which follows what is random
   */
  Chosen choose(DeviceBatch batch, long step);

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
