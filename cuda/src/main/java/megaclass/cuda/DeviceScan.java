// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import megaclass.cuda.DeviceQuantizer.Probes;
import org.jspecify.annotations.Nullable;

/**
 * Finds the best estimated classes of each sample in the lists that it probes: the kernels of
 * {@code scan.cu}; {@code CandidateScan} of the core.
 *
 * <p>Samples first look into their few best lists, then into four times as many, and so on: what
 * they have kept so far sets a limit that little of the rest passes. Each time a list is read once
 * for up to eight samples. Used by the thread of its device.
 */
final class DeviceScan implements AutoCloseable {
  /** Lists that a sample looks into first, and how many times as many after each look. */
  private static final int FIRST_LOOK = 4;

  private static final int BLOCK = 256;
  private static final int SCAN_BLOCK = 128;
  private static final int TOGETHER = 8;

  /** Codes that a block compares one after the other, with lists of equal size. */
  private static final int CODES_PER_BLOCK = 4 * SCAN_BLOCK;

  private static final int MOST_BLOCKS_A_LIST = 64;

  private final Device device;
  private final DeviceCodes codes;
  private final DeviceSort sort;
  private final long foundBytes;
  private final @Nullable ShardedIndex peers;
  private final Kernel countProbed;
  private final Kernel listPairs;
  private final Kernel scanLists;
  private final Kernel keepBest;
  private final Kernel listBest;
  private final DeviceBuffer most;
  private final MemorySegment mostProbed;
  private final DeviceScratch queries;
  private final DeviceScratch scales;
  private final DeviceScratch found;
  private final DeviceScratch counts;
  private final DeviceScratch limits;
  private final DeviceScratch keys;
  private final DeviceScratch pairs;
  private final DeviceScratch starts;
  private final DeviceScratch ends;

  /**
   * A scan to be used for many batches.
   *
   * @param foundBytes memory for what may be found: so many samples are scanned at once
   */
  DeviceScan(Device device, DeviceCodes codes, DeviceSort sort, long foundBytes) {
    this(device, codes, sort, foundBytes, null);
  }

  /** As the other one; finds are put together with those of peers, if there are any. */
  DeviceScan(
      Device device,
      DeviceCodes codes,
      DeviceSort sort,
      long foundBytes,
      @Nullable ShardedIndex peers) {
    this.peers = peers;
    this.device = device;
    this.codes = codes;
    this.sort = sort;
    this.foundBytes = foundBytes;
    countProbed = device.kernel("scan", "count_probed");
    listPairs = device.kernel("scan", "list_pairs");
    scanLists = device.kernel("scan", "scan_lists");
    keepBest = device.kernel("scan", "keep_best");
    listBest = device.kernel("scan", "list_best");
    most = device.allocate(Integer.BYTES);
    mostProbed = device.allocatePinned(Integer.BYTES);
    queries = new DeviceScratch(device);
    scales = new DeviceScratch(device);
    found = new DeviceScratch(device);
    counts = new DeviceScratch(device);
    limits = new DeviceScratch(device);
    keys = new DeviceScratch(device);
    pairs = new DeviceScratch(device);
    starts = new DeviceScratch(device);
    ends = new DeviceScratch(device);
  }

  /**
   * Scans for all samples of a batch.
   *
   * @param embeddings address of (batch, stride) floats
   * @param wanted classes to keep of each sample
   * @param ids receives them, (batch, wanted) ints: best estimates first, -1 behind the last one
   */
  void scan(
      DeviceLists lists,
      Probes probes,
      long embeddings,
      int stride,
      int batch,
      int wanted,
      DeviceBuffer ids) {
    long queryOf = queries.words((long) codes.queryWords() * batch).address();
    long scaleOf = scales.words(batch).address();
    codes.encodeQueries(embeddings, stride, batch, queryOf, scaleOf);
    int capacity = Math.max(1, mostProbed(lists, probes, batch));
    int atOnce = Math.clamp(foundBytes / (8L * capacity), 1, batch);
    for (int from = 0; from < batch; from += atOnce) {
      var samples =
          new Samples(
              Math.min(atOnce, batch - from),
              capacity,
              wanted,
              probes.perSample(),
              probes.lists().address() + 4L * probes.perSample() * from,
              probes.scores().address() + 4L * probes.perSample() * from,
              queryOf + 4L * codes.queryWords() * from,
              scaleOf + 4L * from);
      scan(lists, samples);
      long found = foundOf(samples);
      long countOf = counts.words(samples.count).address();
      if (peers == null) {
        listBest(samples.count, found, capacity, wanted, ids.address() + 4L * wanted * from);
      } else {
        peers.keep(found, capacity, countOf, from, samples.count, batch, wanted);
      }
    }
    if (peers != null) {
      bestOfAll(peers, batch, wanted, ids);
    }
  }

  private void listBest(int batch, long found, long capacity, int wanted, long ids) {
    long countOf = counts.words(batch).address();
    listBest.launch(batch, 1, BLOCK, 0, found, capacity, wanted, countOf, ids);
  }

  private void bestOfAll(ShardedIndex peers, int batch, int wanted, DeviceBuffer ids) {
    long capacity = peers.mostTogether(wanted);
    long all = found.buffer(8 * capacity * batch).address();
    long countOf = counts.words(batch).address();
    peers.together(batch, wanted, all, countOf);
    long limitOf = limits.buffer(8L * batch).address();
    keepBest.launch(batch, 1, BLOCK, 0, all, capacity, wanted, countOf, limitOf);
    listBest(batch, all, capacity, wanted, ids.address());
  }

  /** Some samples of a batch that are scanned together; addresses are those of the first one. */
  private record Samples(
      int count,
      long capacity,
      int wanted,
      int numProbes,
      long lists,
      long listScores,
      long queries,
      long scales) {}

  private int mostProbed(DeviceLists lists, Probes probes, int batch) {
    device.fill(most, 0, Integer.BYTES, 0);
    countProbed.launch(
        Math.ceilDiv(batch, BLOCK),
        1,
        BLOCK,
        0,
        probes.lists().address(),
        batch,
        probes.perSample(),
        lists.sizes().address(),
        most.address());
    device.download(most, 0, mostProbed);
    return mostProbed.get(ValueLayout.JAVA_INT, 0);
  }

  private long foundOf(Samples samples) {
    return found.buffer(8L * samples.capacity * samples.count).address();
  }

  private void scan(DeviceLists lists, Samples samples) {
    DeviceBuffer countOf = counts.words(samples.count);
    DeviceBuffer limitOf = limits.buffer(8L * samples.count);
    device.fill(countOf, 0, 4L * samples.count, 0);
    device.fill(limitOf, 0, 8L * samples.count, -1);
    int from = 0;
    int to = Math.min(FIRST_LOOK, samples.numProbes);
    while (from < to) {
      int numPairs = Math.multiplyExact(samples.count, to - from);
      sortPairs(lists, samples, from, to, numPairs);
      compare(lists, samples, numPairs);
      keepBest.launch(
          samples.count,
          1,
          BLOCK,
          0,
          foundOf(samples),
          samples.capacity,
          samples.wanted,
          countOf.address(),
          limitOf.address());
      from = to;
      to = (int) Math.min((long) FIRST_LOOK * to, samples.numProbes);
    }
  }

  private void sortPairs(DeviceLists lists, Samples samples, int from, int to, int numPairs) {
    DeviceBuffer listOf = keys.words(numPairs);
    DeviceBuffer placeOf = pairs.words(numPairs);
    listPairs.launch(
        Math.ceilDiv(numPairs, BLOCK),
        1,
        BLOCK,
        0,
        samples.lists,
        samples.count,
        samples.numProbes,
        from,
        to,
        listOf.address(),
        placeOf.address());
    sort.sort(listOf, placeOf, numPairs, lists.numLists());
    sort.findRuns(
        listOf,
        numPairs,
        lists.numLists(),
        starts.words(lists.numLists()),
        ends.words(lists.numLists()));
  }

  private void compare(DeviceLists lists, Samples samples, int numPairs) {
    long usualSize = lists.numClasses() / lists.numLists();
    scanLists.launch(
        numPairs,
        Math.clamp(Math.ceilDiv(usualSize, CODES_PER_BLOCK), 1, MOST_BLOCKS_A_LIST),
        SCAN_BLOCK,
        4 * TOGETHER * codes.queryWords(),
        keys.words(numPairs).address(),
        pairs.words(numPairs).address(),
        numPairs,
        starts.words(lists.numLists()).address(),
        samples.numProbes,
        samples.listScores,
        samples.queries,
        samples.scales,
        lists.firstBlocks().address(),
        lists.sizes().address(),
        lists.codes().address(),
        lists.factors().address(),
        lists.classIds().address(),
        codes.words(),
        codes.hamming(),
        codes.cosines(),
        samples.capacity,
        limits.buffer(8L * samples.count).address(),
        counts.words(samples.count).address(),
        foundOf(samples));
  }

  @Override
  public void close() {
    most.close();
    queries.close();
    scales.close();
    found.close();
    counts.close();
    limits.close();
    keys.close();
    pairs.close();
    starts.close();
    ends.close();
  }
}
