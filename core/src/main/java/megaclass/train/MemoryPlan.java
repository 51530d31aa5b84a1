// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.Embeddings;
import megaclass.backbone.Networks;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.ImageShape;
import megaclass.head.HeadEngines;
import megaclass.loss.SoftmaxHead;
import megaclass.optim.SparseOptimizer;
import megaclass.select.ClassSelector;
import megaclass.select.SelectorSpec;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a run by term, known before anything is allocated.
 *
 * @param bytes bytes of each term, in the order in which they are told
 * @param diskBytes bytes of class weights on disk, in no term; 0 when they are in memory
 * @param modelBytes bytes of the model file, about
 * @param deviceBytes bytes of each term on the device that trains the head; empty when the host
 *     does
 */
public record MemoryPlan(
    Map<String, Long> bytes, long diskBytes, long modelBytes, Map<String, Long> deviceBytes) {
  /** JVM code, heap of a run without its data set, thread stacks: measured, not computed. */
  private static final long JVM_BYTES = 150L << 20;

  /** A label of a dozen bytes, its offset and its place in a hash table. */
  public static final long LABEL_BYTES = 32;

  /** Forecasts a run without images. */
  public static MemoryPlan of(TrainConfig config, int numClasses, long dataBytes) {
    return of(config, numClasses, dataBytes, null);
  }

  /**
   * Forecasts a run.
   *
   * @param numClasses classes of the data
   * @param dataBytes size of the mapped data file, which the system may drop from memory
   * @param images what a network takes; null without images
   * @throws IllegalArgumentException when the backend has no such head or the backbone no such
   *     network, or is not there
   */
  public static MemoryPlan of(
      TrainConfig config, int numClasses, long dataBytes, @Nullable ImageShape images) {
    var terms = new LinkedHashMap<String, Long>();
    int width = config.dim() + (config.loss().bias() ? 1 : 0);
    RowMatrix.State state = SparseOptimizer.stateFor(config.optimizer());
    long weightBytes = RowMatrix.State.NONE.bytesPerRow(width, config.dtype());
    long stateBytes = state.bytesPerRow(width, config.dtype()) - weightBytes;
    long diskBytes = 0;
    long modelBytes = numClasses * (weightBytes + 8 + LABEL_BYTES);
    if (config.weightsOnDisk(numClasses)) {
      int rowBytes = (int) (rowBytes(config, numClasses) / numClasses);
      long cacheBytes = RowMatrix.cacheBytes(numClasses, rowBytes, config.weightsMemory());
      terms.put("class weights in use", cacheBytes);
      terms.put("their optimizer state", numClasses * (weightBytes + stateBytes - rowBytes));
      diskBytes = (long) numClasses * rowBytes;
    } else {
      terms.put("class weights", numClasses * weightBytes);
      terms.put("their optimizer state", numClasses * stateBytes);
    }
    if (config.backbone() instanceof BackboneSpec.Bag bag) {
      long rowBytes = RowMatrix.State.NONE.bytesPerRow(config.dim(), RowFormat.FP32);
      terms.put("token table", bag.buckets() * rowBytes);
      terms.put(
          "its optimizer state",
          bag.buckets() * (state.bytesPerRow(config.dim(), RowFormat.FP32) - rowBytes));
      modelBytes += bag.buckets() * rowBytes;
    }
    if (config.backbone() instanceof BackboneSpec.Network spec && images != null) {
      terms.putAll(Networks.provider(spec).bytes(config.networkProblem(spec, images)));
    }
    var provider = HeadEngines.provider(config.backend());
    if (provider.isEmpty()) {
      putHead(config, numClasses, width, terms);
    } else {
      terms.put("batch", Embeddings.sizeInBytes(config.batchSize(), width));
    }
    terms.put("data file, mapped", dataBytes);
    terms.put("labels, counts and JVM", JVM_BYTES + (8 + LABEL_BYTES) * numClasses);
    terms.values().removeIf(bytes -> bytes == 0);
    return new MemoryPlan(
        terms,
        diskBytes,
        modelBytes,
        provider.map(p -> p.deviceBytes(config.headSettings(numClasses))).orElse(Map.of()));
  }

  /** What the head takes on the host when it is trained there. */
  private static void putHead(
      TrainConfig config, int numClasses, int width, Map<String, Long> terms) {
    terms.put(
        "class selector",
        ClassSelector.sizeInBytes(config.selector(), numClasses, width, config.batchSize()));
    terms.put(
        "batch and tiles",
        Embeddings.sizeInBytes(config.batchSize(), width)
            + SoftmaxHead.sizeInBytes(
                config.batchSize(), width, mostActive(config, numClasses), config.threads()));
    if (config.selector() instanceof SelectorSpec.WithGroups groups && groups.numGroups() > 1) {
      terms.put("groups of samples", groupBytes(groups, config.batchSize(), numClasses, width));
    }
  }

  private static int mostActive(TrainConfig config, int numClasses) {
    long most = ClassSelector.mostActive(config.selector(), numClasses, config.batchSize());
    return (int) Math.min(most, numClasses);
  }

  /** Bytes of all class weights with their velocities, wherever they lie. */
  static long rowBytes(TrainConfig config, int numClasses) {
    int width = config.dim() + (config.loss().bias() ? 1 : 0);
    boolean velocity = SparseOptimizer.stateFor(config.optimizer()).velocity();
    var rows = new RowMatrix.State(velocity, false, false);
    return numClasses * rows.bytesPerRow(width, config.dtype());
  }

  /** Embeddings of a group, for selector and head, and row gradients that groups share. */
  private static long groupBytes(
      SelectorSpec.WithGroups groups, int batchSize, int numClasses, int width) {
    int groupSize = Math.ceilDiv(batchSize, groups.numGroups());
    long active = ClassSelector.mostActive(groups.base(), numClasses, groupSize);
    long numShared = Math.min(numClasses, Math.min(groups.numGroups(), batchSize) * active / 2);
    return Embeddings.sizeInBytes(groupSize, width)
        + SoftmaxHead.groupsSizeInBytes(groupSize, numShared, width);
  }

  /** All terms together. */
  public long totalBytes() {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** All terms on the device together. */
  public long totalDeviceBytes() {
    return deviceBytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Terms that must stay in memory: all but the mapped data file. */
  public long residentBytes() {
    return totalBytes() - bytes.getOrDefault("data file, mapped", 0L);
  }
}
