// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import megaclass.compute.ComputeBackend;
import megaclass.cuda.DeviceChoice.Chosen;
import megaclass.head.HeadSettings;
import org.jspecify.annotations.Nullable;

/**
 * The classes that a device owns of those that several share, and what it makes of its results
 * together with those of the others: the kernels of {@code shards.cu} around {@link Nccl}. All
 * devices choose the same classes from all; each one trains those of its own. A device that owns
 * all classes has nobody to ask, and nothing is done here.
 *
 * <p>All devices call the same methods in the same order. Owns its device memory until {@link
 * #close}. Used by the thread of its device.
 */
final class DeviceShard implements AutoCloseable {
  private static final int BLOCK = 256;

  /** SAMPLE_NUMBERS of shards.cu, in words of 32 bits. */
  private static final int SAMPLE_WORDS = 2 * 3;

  private final Device device;
  private final @Nullable Peers peers;
  private final int numClasses;
  private final int from;
  private final int to;

  /** What is needed only where there are others. */
  private record Peers(
      Nccl nccl,
      Kernel findOwned,
      Kernel ownClasses,
      Kernel ownTargets,
      Kernel packSums,
      Kernel unpackSums,
      Kernel addParts,
      MemorySegment bounds,
      DeviceScratch ownBounds,
      DeviceScratch classIds,
      DeviceScratch positions,
      DeviceScratch logWeights,
      DeviceScratch parts) {
    static Peers of(Device device, Nccl nccl) {
      return new Peers(
          nccl,
          device.kernel("shards", "find_owned"),
          device.kernel("shards", "own_classes"),
          device.kernel("shards", "own_targets"),
          device.kernel("shards", "pack_sums"),
          device.kernel("shards", "unpack_sums"),
          device.kernel("shards", "add_parts"),
          device.allocatePinned(2L * Integer.BYTES),
          new DeviceScratch(device),
          new DeviceScratch(device),
          new DeviceScratch(device),
          new DeviceScratch(device),
          new DeviceScratch(device));
    }
  }

  private DeviceShard(Device device, @Nullable Peers peers, int numClasses) {
    this.device = device;
    this.peers = peers;
    this.numClasses = numClasses;
    from = begin(rank());
    to = begin(rank() + 1);
  }

  /** All classes, on the only device. */
  static DeviceShard whole(Device device, int numClasses) {
    return new DeviceShard(device, null, numClasses);
  }

  /** The classes of one of several devices. */
  static DeviceShard of(Device device, int numClasses, Nccl nccl) {
    return new DeviceShard(device, Peers.of(device, nccl), numClasses);
  }

  /** The first class of a device, and for the number behind the last one, of all classes. */
  int begin(int number) {
    return (int) ((long) numClasses * number / count());
  }

  /** The most classes that one of so many devices owns. */
  static int mostClasses(int numClasses, int count) {
    return Math.ceilDiv(numClasses, count);
  }

  /**
   * Refuses what devices cannot do together.
   *
   * @throws IllegalArgumentException when there are more of them than classes, when the batch is
   *     cut in groups, or when not all class weights are to be on the devices
   */
  static void require(HeadSettings settings) {
    int count = settings.deviceCount();
    int numClasses = settings.numClasses();
    if (count > numClasses) {
      throw new IllegalArgumentException(
          "device.count must be at most the number of classes, %d, but was %d"
              .formatted(numClasses, count));
    }
    if (count > 1 && GroupedChoice.numGroups(settings.selector()) > 1) {
      throw new IllegalArgumentException(
          "selector %s chooses classes for groups of samples, which needs device.count 1, but that is %d; take 1, or the selector without groups"
              .formatted(settings.selector(), count));
    }
    long needed = mostClasses(numClasses, count) * HostRows.rowBytes(settings);
    if (count > 1 && settings.deviceMemory() < needed) {
      throw new IllegalArgumentException(
          "device.memory is %d bytes, but the class weights of each of %d devices take %d, and they may lie in the memory of the host with device.count 1 only; give it as much, or take more devices or one"
              .formatted(settings.deviceMemory(), count, needed));
    }
  }

  /** Bytes of what devices tell each other, but for an index, for the memory forecast. */
  static long sizeInBytes(HeadSettings settings) {
    int count = settings.deviceCount();
    long perSample = (long) count * Math.max(ComputeBackend.padded(settings.width()), SAMPLE_WORDS);
    long classes = mostClasses(settings.numClasses(), count);
    return count == 1 ? 0 : 4L * settings.batchSize() * (perSample + 1) + 8 * classes;
  }

  /** Classes of all devices. */
  int numClasses() {
    return numClasses;
  }

  /** How many devices there are. */
  int count() {
    return peers == null ? 1 : peers.nccl.count();
  }

  /** Which of them this one is, from 0. */
  int rank() {
    return peers == null ? 0 : peers.nccl.rank();
  }

  /** The first of its classes. */
  int from() {
    return from;
  }

  /** One behind the last of its classes. */
  int to() {
    return to;
  }

  /** Whether this is the device that speaks for all. */
  boolean isFirst() {
    return rank() == 0;
  }

  private static int blocks(long n) {
    return Math.toIntExact(Math.ceilDiv(n, BLOCK));
  }

  /**
   * What a choice of all devices is for this one: the classes that it has, and -1 for targets that
   * it does not have. There may be no classes.
   */
  Chosen own(Chosen chosen, DeviceBatch batch) {
    if (peers == null) {
      return chosen;
    }
    DeviceBuffer all = chosen.classIds();
    int first = from;
    int count = to - from;
    if (all != null) {
      DeviceBuffer bounds = peers.ownBounds.words(2);
      peers.findOwned.launch(
          1, 1, 2, 0, all.address(), chosen.numActive(), from, to, bounds.address());
      device.download(bounds, 0, peers.bounds);
      first = peers.bounds.getAtIndex(JAVA_INT, 0);
      count = peers.bounds.getAtIndex(JAVA_INT, 1) - first;
    }
    DeviceBuffer ids = peers.classIds.words(count);
    if (count > 0) {
      long some = all == null ? 0 : all.address();
      peers.ownClasses.launch(blocks(count), 1, BLOCK, 0, some, first, count, ids.address());
    }
    DeviceBuffer positions = peers.positions.words(batch.size());
    peers.ownTargets.launch(
        blocks(batch.size()),
        1,
        BLOCK,
        0,
        batch.targets().address(),
        chosen.targetPositions().address(),
        batch.size(),
        from,
        to,
        first,
        positions.address());
    return new Chosen(
        ids,
        count,
        positions,
        count == 0 ? null : ownWeights(peers, chosen.logWeights(), first, count));
  }

  private @Nullable DeviceBuffer ownWeights(
      Peers peers, @Nullable DeviceBuffer all, int first, int count) {
    if (all == null) {
      return null;
    }
    DeviceBuffer weights = peers.logWeights.words(count);
    device.copy(all, 4L * first, weights, 0, 4L * count);
    return weights;
  }

  /** Before the tiles of a batch: a device may have none for a sample. */
  void begin(SoftmaxKernels softmax, int batch) {
    if (peers != null) {
      softmax.clear(batch);
    }
  }

  /** Makes maxima, sums and target logits of a batch those over the classes of all devices. */
  void addSums(SoftmaxKernels softmax, DeviceBatch batch) {
    if (peers == null) {
      return;
    }
    int samples = batch.size();
    long words = (long) SAMPLE_WORDS * samples;
    DeviceBuffer parts = peers.parts.words(count() * words);
    var kept = softmax.kept();
    peers.packSums.launch(
        blocks(samples),
        1,
        BLOCK,
        0,
        kept.maxima(),
        kept.sums(),
        SoftmaxKernels.SEGMENTS,
        batch.targets().address(),
        kept.targetLogits(),
        samples,
        from,
        to,
        parts.address() + 4 * words * rank());
    gather(parts, words);
    peers.unpackSums.launch(
        blocks(samples),
        1,
        BLOCK,
        0,
        parts.address(),
        count(),
        samples,
        SoftmaxKernels.SEGMENTS,
        kept.maxima(),
        kept.sums(),
        kept.targetLogits());
  }

  /**
   * Makes the gradient by the embeddings, on the first device, the one over the classes of all.
   *
   * @param hasOwn whether there was a class of this device to make one
   */
  void addGradients(DeviceBatch batch, boolean hasOwn) {
    if (peers == null) {
      return;
    }
    DeviceBuffer gradients = batch.gradientBuffer();
    long words = batch.gradientWords();
    DeviceBuffer parts = peers.parts.words(count() * words);
    long own = 4 * words * rank();
    if (hasOwn) {
      device.copy(gradients, 0, parts, own, 4 * words);
    } else {
      device.fill(parts, own, 4 * words, 0);
    }
    gather(parts, words);
    if (isFirst()) {
      add(parts, words, gradients);
    }
  }

  /**
   * Brings to every device the parts of all of them; there are several.
   *
   * @param parts (count, words) words of 32 bits, of which each device has written its own
   */
  void gather(DeviceBuffer parts, long words) {
    peers().nccl.allGather(device, parts, words);
  }

  /**
   * Adds up what was gathered, in the order of the devices.
   *
   * @param parts (count, words) floats
   * @param into (words) floats
   */
  void add(DeviceBuffer parts, long words, DeviceBuffer into) {
    peers()
        .addParts
        .launch(blocks(words), 1, BLOCK, 0, parts.address(), count(), words, into.address());
  }

  private Peers peers() {
    return Objects.requireNonNull(peers, "there is one device");
  }

  @Override
  public void close() {
    if (peers != null) {
      peers.ownBounds.close();
      peers.classIds.close();
      peers.positions.close();
      peers.logWeights.close();
      peers.parts.close();
      peers.nccl.close();
    }
  }
}
