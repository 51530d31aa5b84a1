// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.Arrays;
import java.util.stream.IntStream;
import megaclass.cuda.DeviceQuantizer.Sample;
import megaclass.cuda.RowKernels.Gathered;

/**
 * What the parts of an inverted file tell each other when several devices share the classes: each
 * has the classes of its own in lists of its own, with centroids that are the same everywhere. In
 * its part a class has a place, its id less that of the device's first class; between devices ids
 * are told.
 *
 * <p>All devices call the same methods in the same order. Owns its device memory until {@link
 * #close}. Used by the thread of its device.
 */
final class ShardedIndex implements AutoCloseable {
  private static final int BLOCK = 256;

  private final Device device;
  private final DeviceShard shard;
  private final Kernel ownPlaces;
  private final Kernel packFound;
  private final Kernel unpackFound;
  private final Kernel countMembers;
  private final Kernel mergeMeans;
  private final DeviceScratch places;
  private final DeviceScratch parts;

  /** The shard is lent. */
  ShardedIndex(Device device, DeviceShard shard) {
    this.device = device;
    this.shard = shard;
    ownPlaces = device.kernel("shards", "own_places");
    packFound = device.kernel("shards", "pack_found");
    unpackFound = device.kernel("shards", "unpack_found");
    countMembers = device.kernel("shards", "count_members");
    mergeMeans = device.kernel("shards", "merge_means");
    places = new DeviceScratch(device);
    parts = new DeviceScratch(device);
  }

  private static int blocks(long n) {
    return Math.toIntExact(Math.ceilDiv(n, BLOCK));
  }

  /** Bytes on the device, about, for the memory forecast. */
  static long sizeInBytes(int count, long numProposed) {
    return count == 1 ? 0 : (16L * count + 4) * numProposed;
  }

  /** Classes of this device by their places. */
  RowChoice places(RowChoice which) {
    return RowChoice.of(places(which.ids(), which.count()), 0, which.count());
  }

  /** The places of classes, (n) ints; -1 for those of other devices. */
  private DeviceBuffer places(long ids, int n) {
    DeviceBuffer into = places.words(n);
    ownPlaces.launch(blocks(n), 1, BLOCK, 0, ids, n, shard.from(), shard.to(), into.address());
    return into;
  }

  // ---- training of the centroids

  /**
   * Rows of all devices to train centroids from.
   *
   * @param rows found by their places
   * @param sample these places
   */
  record Training(DeviceBuffer memory, DeviceIndexedRows rows, Sample sample)
      implements AutoCloseable {
    @Override
    public void close() {
      memory.close();
    }
  }

  /**
   * Brings rows of classes to all devices.
   *
   * @param rows those of this device, found by their places
   * @param sample ids of classes of all devices
   */
  Training training(DeviceIndexedRows rows, Sample sample) {
    int[] classes = sample.rows();
    int[] firsts = IntStream.rangeClosed(0, shard.count()).map(shard::begin).toArray();
    Arrays.setAll(firsts, d -> lowerBound(classes, firsts[d]));
    int most =
        IntStream.range(0, shard.count()).map(d -> firsts[d + 1] - firsts[d]).max().orElseThrow();
    DeviceRows matrix = rows.matrix();
    long words = (long) most * matrix.stride();
    DeviceBuffer all = device.allocate(4 * words * shard.count());
    int own = firsts[shard.rank()];
    copyRows(
        matrix,
        Arrays.copyOfRange(classes, own, firsts[shard.rank() + 1]),
        all.address() + 4 * words * shard.rank());
    shard.gather(all, words);
    int[] placeOf = new int[classes.length];
    for (int d = 0; d < shard.count(); d++) {
      for (int i = firsts[d]; i < firsts[d + 1]; i++) {
        placeOf[i] = d * most + i - firsts[d];
      }
    }
    int[] first =
        Arrays.stream(sample.first()).map(id -> placeOf[lowerBound(classes, id)]).toArray();
    var gathered =
        new DeviceIndexedRows(matrix.others(all, shard.count() * most), rows.normalised());
    return new Training(all, gathered, new Sample(first, placeOf));
  }

  private void copyRows(DeviceRows matrix, int[] classes, long into) {
    if (classes.length == 0) {
      return;
    }
    int[] own = Arrays.stream(classes).map(id -> id - shard.from()).toArray();
    try (DeviceBuffer chosen = DeviceQuantizer.upload(device, own)) {
      new RowKernels(device)
          .gather(matrix, RowChoice.of(chosen, 0, own.length), new Gathered(into, false, 0));
    }
  }

  private static int lowerBound(int[] ascending, int value) {
    int found = Arrays.binarySearch(ascending, value);
    return found >= 0 ? found : -found - 1;
  }

  // ---- search

  private long wordsOfFound(int batch, int wanted) {
    return 2L * batch * (wanted + 1);
  }

  /**
   * Takes note of what was found here for some samples of a batch.
   *
   * @param found address of (count, capacity) ranked places
   * @param counts address of how many each has, (count) ints, at most wanted
   * @param first of the samples in the batch
   */
  void keep(long found, long capacity, long counts, int first, int count, int batch, int wanted) {
    long words = wordsOfFound(batch, wanted);
    long own = parts.words(shard.count() * words).address() + 4 * words * shard.rank();
    packFound.launch(
        count,
        1,
        BLOCK,
        0,
        found,
        capacity,
        counts,
        wanted,
        shard.from(),
        own + 8L * (wanted + 1) * first);
  }

  /** How many finds of a sample {@link #together} may give. */
  int mostTogether(int wanted) {
    return Math.multiplyExact(shard.count(), wanted);
  }

  /**
   * What was kept for a batch by all devices.
   *
   * @param found address of (batch, mostTogether) ranked classes
   * @param counts address of (batch) ints
   */
  void together(int batch, int wanted, long found, long counts) {
    long words = wordsOfFound(batch, wanted);
    DeviceBuffer all = parts.words(shard.count() * words);
    shard.gather(all, words);
    unpackFound.launch(batch, 1, BLOCK, 0, all.address(), shard.count(), wanted, found, counts);
  }

  /** Scores of pairs by a device that has the class of each. */
  interface Scores {
    /**
     * Scores.
     *
     * @param places of the classes, (n) ints; -1 is skipped
     * @param into (n) floats
     */
    void of(DeviceBuffer places, DeviceBuffer into);
  }

  /**
   * Scores classes of all devices.
   *
   * @param ids (n) class ids
   * @param into (n) floats; 0 for an id of -1
   */
  void score(DeviceBuffer ids, int n, DeviceBuffer into, Scores own) {
    device.fill(into, 0, 4L * n, 0);
    own.of(places(ids.address(), n), into);
    DeviceBuffer all = parts.words((long) shard.count() * n);
    device.copy(into, 0, all, 4L * n * shard.rank(), 4L * n);
    shard.gather(all, n);
    shard.add(all, n, into);
  }

  // ---- repair

  /**
   * Moves the centroids of lists [from, to) to the means of what is grouped on all devices.
   *
   * @param classes places that the groups' members are places in
   * @param hasMembers whether anything is grouped here
   */
  void moveToMeans(
      DeviceQuantizer quantizer,
      DeviceGroups groups,
      DeviceBuffer classes,
      int from,
      int to,
      boolean hasMembers) {
    int numLists = to - from;
    int stride = quantizer.stride();
    long words = numLists * (stride + 1L);
    DeviceBuffer all = parts.words(shard.count() * words);
    long own = 4 * words * shard.rank();
    if (hasMembers) {
      long into = all.address() + own;
      quantizer.means(classes, from, to, into);
      countMembers.launch(
          blocks(numLists),
          1,
          BLOCK,
          0,
          groups.starts() + 4L * from,
          groups.ends() + 4L * from,
          numLists,
          into + 4L * numLists * stride);
    } else {
      device.fill(all, own, 4 * words, 0);
    }
    shard.gather(all, words);
    mergeMeans.launch(
        blocks((long) numLists * stride),
        1,
        BLOCK,
        0,
        all.address(),
        shard.count(),
        numLists,
        stride,
        quantizer.centroid(from));
    quantizer.changed(from, to);
  }

  @Override
  public void close() {
    places.close();
    parts.close();
  }
}
