// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import megaclass.head.HeadSettings;
import megaclass.select.ClassSelector;

/**
 * The active classes of a batch, chosen on the device: the kernels of {@code select.cu} and {@code
 * masses.cu}. A choice begins with the targets, takes in the best candidates or uniform draws, and
 * is listed at its end, class ids ascending.
 *
 * <p>The definitions are {@link megaclass.select.ClassSelector}s: {@code uniform} is {@link #begin}
 * and {@link #fillUniformly}, {@code ivf} is {@link #begin} and {@link #takeBest}, a tail is one
 * more {@link #fillUniformly}. Used by the thread of its device.
 */
final class DeviceSelection implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int MASS_BLOCK = 128;
  private static final int IDS_PER_BLOCK = 1024;
  private static final int FLAGS_PER_BLOCK = 4096;
  private static final int MASS_BLOCKS = 512;

  private static final int ACTIVE = 1;
  private static final int DRAWN = 2;

  /** Bits of a float that are looked at together. */
  private static final int DIGIT_BITS = 8;

  /** Words of the state of a choice by rank: the smallest rank, how many are left, whether all. */
  private static final int STATE_LEFT = 1;

  private final Device device;
  private final int numClasses;
  private final DeviceSort sort;
  private final Kernels kernels;
  private final DeviceBuffer flags;
  private final DeviceBuffer state;
  private final DeviceBuffer rankCounts;
  private final DeviceBuffer places;
  private final MemorySegment total;
  private final DeviceScratch ids;
  private final DeviceScratch positions;
  private final DeviceScratch logWeights;
  private final DeviceScratch order;
  private final DeviceScratch orderPlaces;
  private final DeviceScratch keys;
  private final DeviceScratch masses;
  private final DeviceScratch ranks;
  private DeviceBuffer targets;
  private int batch;
  private int numChosen;

  /** The kernels of the two files. */
  private record Kernels(
      Kernel markClasses,
      Kernel countActive,
      Kernel listActive,
      Kernel findTargets,
      Kernel logWeights,
      Kernel drawClasses,
      Kernel countListed,
      Kernel markFirst,
      Kernel candidateMasses,
      Kernel sumMasses,
      Kernel countRanks,
      Kernel pickRank,
      Kernel takeRanked) {
    static Kernels of(Device device) {
      return new Kernels(
          device.kernel("select", "mark_classes"),
          device.kernel("select", "count_active"),
          device.kernel("select", "list_active"),
          device.kernel("select", "find_targets"),
          device.kernel("select", "log_weights"),
          device.kernel("select", "draw_classes"),
          device.kernel("select", "count_listed"),
          device.kernel("select", "mark_first"),
          device.kernel("masses", "candidate_masses"),
          device.kernel("masses", "sum_masses"),
          device.kernel("masses", "count_ranks"),
          device.kernel("masses", "pick_rank"),
          device.kernel("masses", "take_ranked"));
    }
  }

  /**
   * Allocates a byte for each class; the rest grows with what is chosen.
   *
   * @param sort stays the caller's
   */
  DeviceSelection(Device device, int numClasses, DeviceSort sort) {
    this.device = device;
    this.numClasses = numClasses;
    this.sort = sort;
    kernels = Kernels.of(device);
    flags = device.allocate((long) numFlagBlocks() * FLAGS_PER_BLOCK);
    places = device.allocate(4L * numFlagBlocks());
    state = device.allocate(4L * 4);
    rankCounts = device.allocate(4L << DIGIT_BITS);
    total = device.allocatePinned(Integer.BYTES);
    ids = new DeviceScratch(device);
    positions = new DeviceScratch(device);
    logWeights = new DeviceScratch(device);
    order = new DeviceScratch(device);
    orderPlaces = new DeviceScratch(device);
    keys = new DeviceScratch(device);
    masses = new DeviceScratch(device);
    ranks = new DeviceScratch(device);
    targets = flags; // of no batch yet
  }

  /**
   * Bytes on the device, about, for the memory forecast.
   *
   * @param numProposed candidates of a batch
   */
  static long sizeInBytes(HeadSettings settings, long numProposed) {
    long mostActive =
        ClassSelector.mostActive(settings.selector(), settings.numClasses(), settings.batchSize());
    // Sorting takes as much again as what is sorted: ids and masses.
    return settings.numClasses() + 12 * mostActive + 24 * numProposed + 8L * settings.batchSize();
  }

  private int numFlagBlocks() {
    return Math.ceilDiv(numClasses, FLAGS_PER_BLOCK);
  }

  private static int blocks(int n) {
    return Math.ceilDiv(n, BLOCK);
  }

  /**
   * Starts the choice for a batch: its targets are active.
   *
   * @param targets class id of each sample, (batch)
   * @param onDevice the same, ints; must stay as they are until {@link #finish}
   */
  void begin(int[] targets, DeviceBuffer onDevice) {
    this.targets = onDevice;
    batch = targets.length;
    device.fill(flags, 0, flags.bytes(), 0);
    kernels.markClasses.launch(
        blocks(batch), 1, BLOCK, 0, onDevice.address(), batch, flags.address());
    numChosen = (int) Arrays.stream(targets).distinct().count();
  }

  /**
   * Adds classes.
   *
   * @param classIds (count) ints
   */
  void add(DeviceBuffer classIds, int count) {
    kernels.markClasses.launch(
        blocks(count), 1, BLOCK, 0, classIds.address(), count, flags.address());
    numChosen = -1;
  }

  /** How many classes are chosen; after an addition by id or mass only {@link #finish} knows. */
  int numChosen() {
    return numChosen;
  }

  /**
   * Adds uniform draws from the classes that are not chosen until {@code wanted} are; {@code
   * ClassSet.fillUniformly}.
   *
   * @param wanted at most the number of classes
   * @param key decides what is drawn
   */
  void fillUniformly(int wanted, long key) {
    if (wanted <= numChosen) {
      return;
    }
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(numClasses - 1);
    long into = order.words(wanted).address();
    kernels.drawClasses.launch(
        blocks(wanted), 1, BLOCK, 0, flags.address(), wanted, numClasses, bits, key, into);
    device.fill(state, 4L * STATE_LEFT, Integer.BYTES, wanted - numChosen);
    markFirst(wanted, DRAWN);
    numChosen = wanted;
  }

  /** Marks the first classes that the order lists, as many as the state says are left. */
  private void markFirst(int n, int flag) {
    int blocks = Math.ceilDiv(n, IDS_PER_BLOCK);
    long listed = order.words(n).address();
    DeviceBuffer counts = orderPlaces.words(blocks + 1L);
    kernels.countListed.launch(blocks, 1, BLOCK, 0, listed, n, counts.address());
    sort.sumsBefore(counts, blocks, counts, blocks);
    kernels.markFirst.launch(
        blocks,
        1,
        BLOCK,
        0,
        listed,
        n,
        counts.address(),
        state.address() + 4L * STATE_LEFT,
        flag,
        flags.address());
  }

  /**
   * What an index proposes for the samples of a batch.
   *
   * @param ids class ids (batch, perSample), none twice in a row; -1 where there is none
   * @param scores exact scores (batch, perSample): inner products or cosines
   * @param targetScores the same of the targets, (batch)
   * @param scale of scores; 1 for inner products
   */
  record Proposed(
      DeviceBuffer ids,
      DeviceBuffer scores,
      int perSample,
      DeviceBuffer targetScores,
      double scale) {}

  /**
   * Adds the candidates with the largest probability summed over the batch until {@code wanted}
   * classes are chosen or no candidate is left; {@code IndexedClasses} with a coverage of 1. Only
   * directly after {@link #begin}.
   */
  void takeBest(Proposed candidates, int wanted) {
    int more = wanted - numChosen;
    if (more <= 0) {
      return;
    }
    int n = Math.multiplyExact(batch, candidates.perSample());
    sumMasses(candidates, n);
    chooseRanks(n, more);
    numChosen = -1;
  }

  private void sumMasses(Proposed candidates, int n) {
    DeviceBuffer classOf = keys.words(n);
    DeviceBuffer massOf = masses.words(n);
    kernels.candidateMasses.launch(
        batch,
        1,
        MASS_BLOCK,
        0,
        candidates.ids().address(),
        candidates.scores().address(),
        candidates.perSample(),
        targets.address(),
        candidates.targetScores().address(),
        Double.doubleToRawLongBits(candidates.scale()),
        numClasses,
        classOf.address(),
        massOf.address());
    sort.sort(classOf, massOf, n, numClasses + 1);
    kernels.sumMasses.launch(
        blocks(n),
        1,
        BLOCK,
        0,
        classOf.address(),
        massOf.address(),
        n,
        numClasses,
        flags.address(),
        ranks.words(n).address());
  }

  /** Marks the {@code wanted} classes of the largest ranks, of equal ones the smallest ids. */
  private void chooseRanks(int n, int wanted) {
    long rankOf = ranks.words(n).address();
    device.fill(state, 0, state.bytes(), 0);
    device.fill(state, 4L * STATE_LEFT, Integer.BYTES, wanted);
    for (int shift = Integer.SIZE - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
      kernels.countRanks.launch(
          Math.min(MASS_BLOCKS, blocks(n)),
          1,
          BLOCK,
          0,
          rankOf,
          n,
          shift,
          state.address(),
          rankCounts.address());
      kernels.pickRank.launch(1, 1, BLOCK, 0, shift, rankCounts.address(), state.address());
    }
    kernels.takeRanked.launch(
        blocks(n),
        1,
        BLOCK,
        0,
        keys.words(n).address(),
        rankOf,
        n,
        state.address(),
        flags.address(),
        order.words(n).address());
    markFirst(n, ACTIVE);
  }

  /** Lists what was chosen and finds the targets in it; returns how many classes are active. */
  int finish() {
    int blocks = numFlagBlocks();
    kernels.countActive.launch(blocks, 1, BLOCK, 0, flags.address(), places.address());
    sort.sumsBefore(places, blocks, state, 0);
    device.download(state, 0, total);
    numChosen = total.get(ValueLayout.JAVA_INT, 0);
    long listed = ids.words(numChosen).address();
    kernels.listActive.launch(blocks, 1, BLOCK, 0, flags.address(), places.address(), listed);
    kernels.findTargets.launch(
        blocks(batch),
        1,
        BLOCK,
        0,
        targets.address(),
        batch,
        listed,
        numChosen,
        positions.words(batch).address());
    return numChosen;
  }

  /** The active classes, (numActive) ints, ascending; after {@link #finish}. */
  DeviceBuffer classIds() {
    return ids.words(numChosen);
  }

  /** Position of each sample's target among them, (batch) ints. */
  DeviceBuffer targetPositions() {
    return positions.words(batch);
  }

  /**
   * Log weights of the active classes, (numActive) floats; {@code TailedClasses.logWeights}.
   *
   * @param numDraws how many of them are uniform draws, at least 1
   */
  DeviceBuffer logWeights(int numDraws) {
    int numOthers = numChosen - numDraws;
    float ofDraw = (float) Math.log((numClasses - numOthers) / (double) numDraws);
    DeviceBuffer into = logWeights.words(numChosen);
    kernels.logWeights.launch(
        blocks(numChosen),
        1,
        BLOCK,
        0,
        flags.address(),
        classIds().address(),
        numChosen,
        Kernel.of(ofDraw),
        into.address());
    return into;
  }

  @Override
  public void close() {
    flags.close();
    places.close();
    state.close();
    rankCounts.close();
    ids.close();
    positions.close();
    logWeights.close();
    order.close();
    orderPlaces.close();
    keys.close();
    masses.close();
    ranks.close();
  }
}
