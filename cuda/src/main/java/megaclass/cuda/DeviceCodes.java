// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import megaclass.compute.CodeKernels;
import megaclass.index.BinaryIvf;
import megaclass.index.Rotation;

/**
 * Sign codes of rotated rows on the device, and what embeddings are compared with them by: the
 * kernels of {@code codes.cu}. Rotated rows have the bits of {@link Rotation}, codes those of
 * {@link BinaryIvf}, in another order. Calls return before the device is done. Used by the thread
 * of its device.
 */
final class DeviceCodes implements AutoCloseable {
  /** Codes of a block: lanes of a warp. */
  static final int BLOCK = 32;

  private static final int WARP = 32;
  private static final int MOST_WARPS = 4;
  private static final int SHARED_BYTES = 48 << 10;

  private final Device device;
  private final int width;
  private final int codeDim;
  private final int rounds;
  private final boolean hamming;
  private final DeviceBuffer factors;
  private final DeviceBuffer cosines;
  private final DeviceBuffer notFinite;
  private final MemorySegment badClass;
  private final Kernel rotateRows;
  private final Kernel encodeRows;
  private final Kernel encodeQueries;
  private final Kernel scoreRows;

  DeviceCodes(Device device, Rotation rotation, BinaryIvf.Code code) {
    this.device = device;
    width = rotation.dim();
    codeDim = rotation.codeDim();
    hamming = code == BinaryIvf.Code.HAMMING;
    float[] signs = rotation.factors();
    rounds = signs.length / CodeKernels.factorsOfRound(codeDim);
    factors = upload(device, signs);
    cosines = upload(device, cosines(codeDim));
    notFinite = device.allocate(Integer.BYTES);
    device.fill(notFinite, 0, Integer.BYTES, -1);
    badClass = device.allocatePinned(Integer.BYTES);
    rotateRows = device.kernel("codes", "rotate_rows");
    encodeRows = device.kernel("codes", "encode_rows");
    encodeQueries = device.kernel("codes", "encode_queries");
    scoreRows = device.kernel("codes", "score_rows");
  }

  private static DeviceBuffer upload(Device device, float[] values) {
    DeviceBuffer buffer = device.allocate(4L * values.length);
    try (var arena = Arena.ofConfined()) {
      device.upload(arena.allocateFrom(JAVA_FLOAT, values), buffer, 0);
      device.synchronize();
    }
    return buffer;
  }

  /** Cosine of the angle that a distance of Hamming stands for; {@code CandidateScan}. */
  private static float[] cosines(int codeDim) {
    float[] cosines = new float[codeDim + 1];
    for (int distance = 0; distance < cosines.length; distance++) {
      cosines[distance] = (float) Math.cos(Math.PI * distance / codeDim);
    }
    return cosines;
  }

  /** Coordinates of a rotated row: bits of a code. */
  int codeDim() {
    return codeDim;
  }

  /** Words of 32 bits of a code. */
  int words() {
    return codeDim / Integer.SIZE;
  }

  /** Words of 32 bits of what an embedding is compared by. */
  int queryWords() {
    return hamming ? words() : CodeKernels.PLANES * words();
  }

  /** Whether codes are compared by distances of Hamming, as a flag for kernels. */
  int hamming() {
    return hamming ? 1 : 0;
  }

  /** Address of the cosine of each distance of Hamming, (codeDim + 1) floats. */
  long cosines() {
    return cosines.address();
  }

  private int warps() {
    return Math.clamp(SHARED_BYTES / (4L * codeDim), 1, MOST_WARPS);
  }

  private int blocks(int rows) {
    return Math.ceilDiv(rows, warps());
  }

  private int sharedBytes() {
    return 4 * codeDim * warps();
  }

  /**
   * Rotates rows.
   *
   * @param rows address of (count, stride) floats
   * @param into address of (count, codeDim) floats
   */
  void rotate(long rows, int stride, int count, long into) {
    rotateRows.launch(
        blocks(count),
        1,
        WARP * warps(),
        sharedBytes(),
        rows,
        stride,
        width,
        count,
        factors.address(),
        rounds,
        codeDim,
        into);
  }

  /**
   * Writes the codes of classes and their factors; {@code BinaryIvf.encode}.
   *
   * @param rotatedCentroids address of (numLists, codeDim) floats
   */
  void encode(DeviceIndexedRows rows, RowChoice which, long rotatedCentroids, DeviceLists lists) {
    DeviceRows matrix = rows.matrix();
    encodeRows.launch(
        blocks(which.count()),
        1,
        WARP * warps(),
        sharedBytes(),
        matrix.address(),
        rows.bf16(),
        matrix.rowWords(),
        matrix.stride(),
        rows.directions(),
        matrix.slots(),
        which.ids(),
        which.first(),
        which.count(),
        factors.address(),
        rounds,
        codeDim,
        rotatedCentroids,
        lists.listOf().address(),
        lists.slotOf().address(),
        hamming(),
        lists.codes().address(),
        lists.factors().address(),
        notFinite.address());
  }

  /**
   * Waits for the codes that were written.
   *
   * @throws ArithmeticException when a class weight was infinite or NaN, as after too large a step
   */
  void checkFinite() {
    checkFinite(0);
  }

  /**
   * As {@link #checkFinite()}.
   *
   * @param first id of the class at place 0
   */
  void checkFinite(int first) {
    device.download(notFinite, 0, badClass);
    int classId = badClass.get(ValueLayout.JAVA_INT, 0);
    if (classId >= 0) {
      throw new ArithmeticException(
          "the weight of class %d is not finite, which no index can hold; lower the learning rate"
                  .formatted(first + classId)
              + " and resume from the last checkpoint");
    }
  }

  /**
   * Writes what embeddings are compared by; {@code CandidateScan.encode}.
   *
   * @param embeddings address of (count, stride) floats
   * @param queries address of (count, {@link #queryWords}) words, a multiple of 16
   * @param scales address of (count) floats
   */
  void encodeQueries(long embeddings, int stride, int count, long queries, long scales) {
    encodeQueries.launch(
        blocks(count),
        1,
        WARP * warps(),
        sharedBytes(),
        embeddings,
        stride,
        width,
        count,
        factors.address(),
        rounds,
        codeDim,
        hamming(),
        queries,
        scales);
  }

  /**
   * Scores classes exactly, those that are on the device; {@code IndexedRows.scores}.
   *
   * @param embeddings address of (batch, stride of the rows) floats
   * @param ids (batch, perSample) class ids; -1 is skipped
   * @param into (batch, perSample) floats
   */
  void score(
      DeviceIndexedRows rows,
      long embeddings,
      DeviceBuffer ids,
      int batch,
      int perSample,
      DeviceBuffer into) {
    DeviceRows matrix = rows.matrix();
    int pairs = Math.multiplyExact(batch, perSample);
    scoreRows.launch(
        Math.ceilDiv(pairs, MOST_WARPS),
        1,
        WARP * MOST_WARPS,
        0,
        matrix.address(),
        rows.bf16(),
        matrix.rowWords(),
        matrix.stride(),
        rows.directions(),
        matrix.slots(),
        embeddings,
        ids.address(),
        batch,
        perSample,
        into.address());
  }

  @Override
  public void close() {
    factors.close();
    cosines.close();
    notFinite.close();
  }
}
