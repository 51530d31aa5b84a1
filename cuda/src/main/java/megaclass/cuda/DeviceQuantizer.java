// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import megaclass.internal.Hash;
import megaclass.internal.Permutation;

/**
 * The coarse quantizer of an inverted file on the device: the kernels of {@code centroids.cu}
 * around products of matrices. The definition is {@code CoarseQuantizer} of the core; a class looks
 * at all lists for its own, since that costs a GPU little. Used by the thread of its device.
 */
final class DeviceQuantizer implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int WARP = 32;
  private static final int MEAN_BLOCK = 128;

  /** Rows of a list that k-means sees on average; as on the CPU. */
  private static final int SAMPLES_PER_LIST = 64;

  /** Products of rows and centroids at a time. */
  private static final int MOST_PRODUCTS = 1 << 26;

  private static final int MOST_ROWS = 1 << 16;

  private final Device device;
  private final DeviceIndexedRows rows;
  private final int numLists;
  private final int stride;
  private final DeviceGroups groups;
  private final RowKernels gather;
  private final Kernel halfSquares;
  private final Kernel nearestLists;
  private final Kernel rowUnits;
  private final Kernel meanRows;
  private final Kernel topLists;
  private final DeviceBuffer centroids;
  private final DeviceBuffer minusHalfSquares;
  private final DeviceScratch tile;
  private final DeviceScratch inverseNorms;
  private final DeviceScratch products;
  private final DeviceScratch units;
  private final DeviceScratch best;

  /** Groups stay the caller's. */
  DeviceQuantizer(Device device, DeviceIndexedRows rows, int numLists, DeviceGroups groups) {
    this.device = device;
    this.rows = rows;
    this.numLists = numLists;
    this.groups = groups;
    stride = rows.matrix().stride();
    gather = new RowKernels(device);
    halfSquares = device.kernel("centroids", "half_squares");
    nearestLists = device.kernel("centroids", "nearest_lists");
    rowUnits = device.kernel("centroids", "row_units");
    meanRows = device.kernel("centroids", "mean_rows");
    topLists = device.kernel("scan", "top_lists");
    centroids = device.allocate(4L * stride * numLists);
    minusHalfSquares = device.allocate(4L * numLists);
    tile = new DeviceScratch(device);
    inverseNorms = new DeviceScratch(device);
    products = new DeviceScratch(device);
    units = new DeviceScratch(device);
    best = new DeviceScratch(device);
  }

  /** The centroids, (numLists, stride) floats; after a change from outside {@link #changed}. */
  DeviceBuffer centroids() {
    return centroids;
  }

  /** Floats from centroid to centroid. */
  int stride() {
    return stride;
  }

  /** Address of the centroid of a list. */
  long centroid(int list) {
    return centroids.address() + 4L * stride * list;
  }

  /** Takes in centroids [from, to) that were changed. */
  void changed(int from, int to) {
    halfSquares.launch(
        Math.ceilDiv(to - from, BLOCK / WARP),
        1,
        BLOCK,
        0,
        centroid(from),
        stride,
        to - from,
        minusHalfSquares.address() + 4L * from);
  }

  /** Trains the centroids anew from random rows. */
  void train(int iterations, long seed) {
    var sample = Sample.of(rows.matrix().numRows(), numLists, seed);
    train(sample, iterations, seed);
  }

  /** Rows to train from. */
  static final class Sample {
    private final int[] first;
    private final int[] rows;

    /**
     * Takes both over.
     *
     * @param first where each centroid begins, (numLists)
     * @param rows all of them
     */
    Sample(int[] first, int[] rows) {
      this.first = first;
      this.rows = rows;
    }

    /** Random ones of so many, ascending. */
    static Sample of(int numRows, int numLists, long seed) {
      int size = (int) Math.min(numRows, (long) SAMPLES_PER_LIST * numLists);
      int[] sample = new int[size];
      var order = new Permutation(numRows, seed);
      Arrays.setAll(sample, i -> (int) order.at(i));
      int[] first = new int[numLists];
      Arrays.setAll(first, list -> sample[list % size]);
      Arrays.sort(sample);
      return new Sample(first, sample);
    }

    int[] first() {
      return first;
    }

    int[] rows() {
      return rows;
    }
  }

  /** Trains the centroids anew from given rows. */
  void train(Sample sample, int iterations, long seed) {
    try (DeviceBuffer chosen = upload(device, sample.first)) {
      copy(RowChoice.of(chosen, 0, numLists), centroids.address());
    }
    changed(0, numLists);
    int size = sample.rows.length;
    try (DeviceBuffer classes = upload(device, sample.rows);
        DeviceBuffer listOf = device.allocate(4L * size)) {
      for (int i = 0; i < iterations; i++) {
        assign(RowChoice.of(classes, 0, size), listOf);
        groups.byList(listOf, size);
        moveToMeans(classes, 0, numLists, true, Hash.key(seed, i));
      }
    }
  }

  /** Ints on a device. */
  static DeviceBuffer upload(Device device, int[] values) {
    DeviceBuffer buffer = device.allocate(4L * values.length);
    try (var arena = Arena.ofConfined()) {
      device.upload(arena.allocateFrom(ValueLayout.JAVA_INT, values), buffer, 0);
      device.synchronize();
    }
    return buffer;
  }

  /** Copies rows as the index sees them, (count, stride) floats. */
  private void copy(RowChoice which, long into) {
    long norms = rows.normalised() ? inverseNorms.words(which.count()).address() : 0;
    rows.matrix()
        .readInParts(
            which,
            (part, from) ->
                gather.gather(
                    rows.matrix(),
                    part,
                    new RowKernels.Gathered(into + 4L * stride * from, false, norms)));
  }

  /**
   * Finds the nearest centroid of some rows, of equal ones the first.
   *
   * @param into receives the list of each, ints
   */
  void assign(RowChoice which, DeviceBuffer into) {
    int atOnce = Math.clamp(MOST_PRODUCTS / numLists, 1, Math.min(MOST_ROWS, which.count()));
    DeviceBuffer some = tile.words((long) stride * atOnce);
    long scores = products.words((long) numLists * atOnce).address();
    for (int from = 0; from < which.count(); from += atOnce) {
      int count = Math.min(atOnce, which.count() - from);
      copy(which.part(from, count), some.address());
      multiply(some.address(), count, scores);
      nearestLists.launch(
          count,
          1,
          BLOCK,
          0,
          scores,
          numLists,
          minusHalfSquares.address(),
          into.address() + 4L * from);
    }
  }

  /** Inner products of (count, stride) floats with all centroids; little beside the scan. */
  private void multiply(long some, int count, long into) {
    device
        .gemm()
        .multiply(
            Gemm.Precision.FP32,
            false,
            true,
            count,
            numLists,
            stride,
            1f,
            some,
            stride,
            centroids.address(),
            stride,
            0f,
            into,
            numLists);
  }

  /**
   * Moves the centroids of lists [from, to) to the means of what is grouped, added in order.
   *
   * @param classes what the groups' members are places in, (size of the groups) ints
   * @param restart whether a list without members starts again from a random one of the classes, or
   *     stays as it is
   * @param restartKey decides which one
   */
  void moveToMeans(DeviceBuffer classes, int from, int to, boolean restart, long restartKey) {
    means(classes, new Means(from, to, restart, restartKey, centroid(from)));
    changed(from, to);
  }

  /**
   * Means for lists [from, to) of what is grouped, as {@link #moveToMeans} without restarts.
   *
   * @param into address of (to - from, stride) floats; those of lists without members stay
   */
  void means(DeviceBuffer classes, int from, int to, long into) {
    means(classes, new Means(from, to, false, 0, into));
  }

  /** Which means are wanted, and where. */
  private record Means(int from, int to, boolean restart, long restartKey, long into) {}

  private void means(DeviceBuffer classes, Means wanted) {
    int n = groups.size();
    long unitOf = units.words(n).address();
    rows.matrix()
        .readInParts(
            RowChoice.of(classes, 0, n),
            (part, place) -> {
              addUnits(part, unitOf + 4L * place);
              addMeans(classes, unitOf, part, place, wanted);
            });
  }

  private void addUnits(RowChoice part, long into) {
    DeviceRows matrix = rows.matrix();
    rowUnits.launch(
        Math.ceilDiv(part.count(), BLOCK / WARP),
        1,
        BLOCK,
        0,
        matrix.address(),
        rows.bf16(),
        matrix.rowWords(),
        stride,
        rows.directions(),
        matrix.slots(),
        part.ids(),
        part.count(),
        into);
  }

  /** Adds the members that are at some places of the classes. */
  private void addMeans(
      DeviceBuffer classes, long unitOf, RowChoice part, int place, Means wanted) {
    DeviceRows matrix = rows.matrix();
    meanRows.launch(
        wanted.to - wanted.from,
        1,
        MEAN_BLOCK,
        0,
        matrix.address(),
        rows.bf16(),
        matrix.rowWords(),
        stride,
        matrix.slots(),
        classes.address(),
        unitOf,
        groups.size(),
        place,
        place + part.count(),
        groups.members(),
        groups.starts(),
        groups.ends(),
        wanted.from,
        wanted.restart ? 1 : 0,
        wanted.restartKey,
        wanted.into - 4L * stride * wanted.from); // where list 0 would be
  }

  /**
   * Lists that samples look into.
   *
   * @param lists (batch, perSample) ints, best first
   * @param scores inner products with their centroids, (batch, perSample) floats
   */
  record Probes(DeviceBuffer lists, DeviceBuffer scores, int perSample) {}

  /**
   * Finds the lists whose centroids have the largest inner products with embeddings.
   *
   * @param embeddings address of (batch, stride) floats
   */
  void probe(long embeddings, int batch, Probes into) {
    long scores = products.words((long) numLists * batch).address();
    multiply(embeddings, batch, scores);
    topLists.launch(
        batch,
        1,
        BLOCK,
        0,
        scores,
        numLists,
        into.perSample(),
        best.buffer(8L * batch * into.perSample()).address(),
        into.lists().address(),
        into.scores().address());
  }

  @Override
  public void close() {
    centroids.close();
    minusHalfSquares.close();
    tile.close();
    inverseNorms.close();
    products.close();
    units.close();
    best.close();
  }
}
