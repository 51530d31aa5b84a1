// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import megaclass.compute.CodeKernels;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.cuda.DeviceQuantizer.Probes;
import megaclass.index.BinaryIvf;
import megaclass.index.Rotation;
import megaclass.internal.Hash;
import org.jspecify.annotations.Nullable;

/**
 * An inverted file with sign codes on the device: {@link BinaryIvf}, with the same rotation, the
 * same random draws and the same saved state. Two differences: a class that is repaired looks at
 * all centroids, not at the 256 nearest to its own, and all lists of a step are repaired together.
 *
 * <p>Used by the thread of its device.
 */
final class DeviceIvf implements AutoCloseable {
  private static final int TRAINING_ITERATIONS = 8;
  private static final long ROTATION = 0x726f74;
  private static final long LISTS = 0x6c6973;
  private static final String STATE_LISTS = "lists";
  private static final String STATE_CENTROIDS = "centroids";
  private static final MemorySegment NONE = MemorySegment.ofArray(new byte[0]);

  /** Memory for what a scan may find. */
  static final long FOUND_BYTES = 1L << 30;

  private final Device device;
  private final DeviceShard shard;
  private final @Nullable ShardedIndex peers;
  private final DeviceIndexedRows rows;
  private final BinaryIvf.Settings settings;
  private final long seed;
  private final DeviceGroups groups;
  private final DeviceQuantizer quantizer;
  private final DeviceCodes codes;
  private final DeviceLists lists;
  private final DeviceScan scan;
  private final DeviceBuffer rotatedCentroids;
  private final DeviceScratch nearest;
  private final DeviceScratch probedLists;
  private final DeviceScratch probedScores;
  private final DeviceScratch found;
  private final DeviceScratch foundScores;

  /**
   * An empty index; {@link #build} or {@link #restore} fills it.
   *
   * @param rotation of {@link #rotationSeed}, for rows of this width
   * @param sort stays the caller's, as rows do
   */
  DeviceIvf(
      Device device,
      DeviceIndexedRows rows,
      BinaryIvf.Settings settings,
      long seed,
      Rotation rotation,
      DeviceSort sort) {
    this(
        device,
        rows,
        settings,
        seed,
        rotation,
        sort,
        DeviceShard.whole(device, rows.matrix().numRows()));
  }

  /** An empty index of the classes of a shard, which is lent; all devices have one. */
  DeviceIvf(
      Device device,
      DeviceIndexedRows shardRows,
      BinaryIvf.Settings settings,
      long seed,
      Rotation rotation,
      DeviceSort sort,
      DeviceShard shard) {
    this.device = device;
    this.shard = shard;
    peers = shard.count() == 1 ? null : new ShardedIndex(device, shard);
    rows = shardRows.byPlace();
    this.settings = settings;
    this.seed = seed;
    int numLists = settings.numLists();
    groups = new DeviceGroups(device, numLists, sort);
    quantizer = new DeviceQuantizer(device, rows, numLists, groups);
    codes = new DeviceCodes(device, rotation, settings.code());
    lists = new DeviceLists(device, rows.matrix().numRows(), numLists, codes.words(), sort, groups);
    scan = new DeviceScan(device, codes, sort, FOUND_BYTES, peers);
    rotatedCentroids = device.allocate(4L * codes.codeDim() * numLists);
    nearest = new DeviceScratch(device);
    probedLists = new DeviceScratch(device);
    probedScores = new DeviceScratch(device);
    found = new DeviceScratch(device);
    foundScores = new DeviceScratch(device);
  }

  /** The seed of the rotation of an index with this seed. */
  static long rotationSeed(long seed) {
    return Hash.key(seed, ROTATION);
  }

  /** Trains centroids, gives every class its list and writes all codes. */
  void build() {
    train();
    quantizer.assign(RowChoice.range(0, rows.matrix().numRows()), lists.listOf());
    layOut();
  }

  private void train() {
    long key = Hash.key(seed, LISTS);
    if (peers == null) {
      quantizer.train(TRAINING_ITERATIONS, key);
      return;
    }
    int numLists = settings.numLists();
    var sample = DeviceQuantizer.Sample.of(shard.numClasses(), numLists, key);
    try (var training = peers.training(rows, sample);
        var trained = new DeviceQuantizer(device, training.rows(), numLists, groups)) {
      trained.train(training.sample(), TRAINING_ITERATIONS, key);
      device.copy(trained.centroids(), 0, quantizer.centroids(), 0, trained.centroids().bytes());
    }
    quantizer.changed(0, numLists);
  }

  /** Makes the lists and all codes for given centroids and lists of the classes. */
  private void layOut() {
    lists.layOut();
    rotateCentroids(0, settings.numLists());
    encode(RowChoice.range(0, rows.matrix().numRows()));
    codes.checkFinite(shard.from());
  }

  private void rotateCentroids(int from, int to) {
    long into = rotatedCentroids.address() + 4L * codes.codeDim() * from;
    codes.rotate(quantizer.centroid(from), rows.matrix().stride(), to - from, into);
  }

  private void encode(RowChoice which) {
    rows.matrix().readInParts(which, (part, _) -> encodeHeld(part));
  }

  private void encodeHeld(RowChoice which) {
    codes.encode(rows, which, rotatedCentroids.address(), lists);
  }

  /**
   * What is found for the samples of a batch, until the next search.
   *
   * @param ids class ids (batch, perSample), best estimates first, -1 behind the last one
   * @param scores their exact scores, (batch, perSample) floats
   */
  record Found(DeviceBuffer ids, DeviceBuffer scores, int perSample) {}

  /**
   * Probes, scans, and scores what was found.
   *
   * @param embeddings address of (batch, stride of the rows) floats
   * @param effort how many times as much as usual to look at, at least 1
   */
  Found search(long embeddings, int batch, int effort) {
    int numProbes = (int) Math.min((long) effort * settings.numProbes(), settings.numLists());
    int wanted = (int) Math.min((long) effort * settings.numCandidates(), shard.numClasses());
    long numProbed = (long) batch * numProbes;
    var probes = new Probes(probedLists.words(numProbed), probedScores.words(numProbed), numProbes);
    quantizer.probe(embeddings, batch, probes);
    DeviceBuffer ids = found.words((long) batch * wanted);
    scan.scan(lists, probes, embeddings, rows.matrix().stride(), batch, wanted, ids);
    DeviceBuffer scores = foundScores.words((long) batch * wanted);
    score(embeddings, ids, batch, wanted, scores);
    return new Found(ids, scores, wanted);
  }

  /**
   * Scores one class of each sample, as its target.
   *
   * @param embeddings address of (batch, stride of the rows) floats
   * @param classIds (batch) ints
   * @param into (batch) floats
   */
  void score(long embeddings, DeviceBuffer classIds, int batch, DeviceBuffer into) {
    score(embeddings, classIds, batch, 1, into);
  }

  private void score(
      long embeddings, DeviceBuffer ids, int batch, int perSample, DeviceBuffer into) {
    int pairs = Math.multiplyExact(batch, perSample);
    if (peers == null) {
      rows.matrix()
          .readAny(ids, pairs, () -> codes.score(rows, embeddings, ids, batch, perSample, into));
    } else {
      peers.score(
          ids,
          pairs,
          into,
          (places, own) -> codes.score(rows, embeddings, places, batch, perSample, own));
    }
  }

  /**
   * Takes note of class weights that have moved, and are still held: their codes are written anew.
   */
  void moved(RowChoice which) {
    encodeHeld(peers == null ? which : peers.places(which));
  }

  /**
   * Ends a step: the lists whose turn it is look whether their classes still belong to them.
   *
   * @throws ArithmeticException when a class weight that has moved is infinite or NaN
   */
  void endStep(long step) {
    codes.checkFinite(shard.from());
    int period = settings.repairEvery();
    int numLists = settings.numLists();
    int phase = (int) (step % period);
    int from = (int) ((long) numLists * phase / period);
    int to = (int) ((long) numLists * (phase + 1) / period);
    if (from < to) {
      repair(from, to);
    }
  }

  /** Lets classes go that are nearer to another centroid; each centroid becomes the mean. */
  private void repair(int from, int to) {
    int count = lists.findMembers(from, to);
    DeviceBuffer nearestOf = nearest.words(count);
    if (count > 0) {
      quantizer.assign(RowChoice.of(lists.members(), 0, count), nearestOf);
      lists.keep(from, to, nearestOf, count);
    }
    moveToMeans(from, to, count > 0);
    rotateCentroids(from, to);
    if (count == 0) {
      return;
    }
    if (lists.moveOthers(nearestOf, count)) {
      encode(RowChoice.of(lists.members(), 0, count));
    } else {
      layOut();
    }
  }

  private void moveToMeans(int from, int to, boolean hasMembers) {
    if (peers != null) {
      peers.moveToMeans(quantizer, groups, lists.members(), from, to, hasMembers);
    } else if (hasMembers) {
      quantizer.moveToMeans(lists.members(), from, to, false, 0);
    }
  }

  /**
   * The list of each class that this device has, and the centroids; of all devices {@link
   * #together} as {@link BinaryIvf#state}.
   */
  Map<String, MemorySegment> state() {
    var listOf = NativeMemory.allocate(lists.listOf().bytes(), Arena.ofAuto());
    device.download(lists.listOf(), 0, listOf);
    var centroids = NativeMemory.allocate(quantizer.centroids().bytes(), Arena.ofAuto());
    device.download(quantizer.centroids(), 0, centroids);
    return Map.of(STATE_LISTS, listOf, STATE_CENTROIDS, centroids);
  }

  /** What several devices save, each of which has given its {@link #state}. */
  static Map<String, MemorySegment> together(List<Map<String, MemorySegment>> states) {
    var all = new LinkedHashMap<>(states.getFirst());
    if (all.containsKey(STATE_LISTS)) {
      var parts = states.stream().map(state -> state.getOrDefault(STATE_LISTS, NONE)).toList();
      long bytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
      var lists = NativeMemory.allocate(bytes, Arena.ofAuto());
      long at = 0;
      for (MemorySegment part : parts) {
        lists.asSlice(at, part.byteSize()).copyFrom(part);
        at += part.byteSize();
      }
      all.put(STATE_LISTS, lists);
    }
    return all;
  }

  /**
   * Called instead of {@link #build} when a run is resumed and the weights are as they were.
   *
   * @param sections what {@link #state} gave, by name
   * @throws IllegalArgumentException when it was of another number of classes
   */
  void restore(Function<String, MemorySegment> sections) {
    MemorySegment listOf = sections.apply(STATE_LISTS);
    long saved = listOf.byteSize() / ValueLayout.JAVA_INT.byteSize();
    if (saved != shard.numClasses()) {
      throw new IllegalArgumentException(
          "the saved index holds %,d classes, but there are %,d; resume with the model that it was saved with"
              .formatted(saved, shard.numClasses()));
    }
    device.upload(sections.apply(STATE_CENTROIDS), quantizer.centroids(), 0);
    quantizer.changed(0, settings.numLists());
    long first = Integer.BYTES * (long) shard.from();
    device.upload(listOf.asSlice(first, lists.listOf().bytes()), lists.listOf(), 0);
    layOut();
  }

  /** Bytes that an index of so many classes takes, about, besides what a search needs. */
  static long sizeInBytes(int numClasses, int width, int numLists) {
    long codeDim = Math.ceilDiv(width, CodeKernels.WORD) * (long) CodeKernels.WORD;
    long slots = numClasses + numClasses / 8L + 32L * numLists;
    long stride = RowMatrix.State.NONE.bytesPerRow(width, RowFormat.FP32);
    return slots * (codeDim / 8 + 4 + 4) + 8L * numClasses + numLists * (stride + 4 * codeDim);
  }

  @Override
  public void close() {
    if (peers != null) {
      peers.close();
    }
    scan.close();
    lists.close();
    codes.close();
    quantizer.close();
    groups.close();
    rotatedCentroids.close();
    nearest.close();
    probedLists.close();
    probedScores.close();
    found.close();
    foundScores.close();
  }
}
