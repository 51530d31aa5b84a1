// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.internal.Check;
import megaclass.internal.Hash;
import megaclass.internal.TopScores;
import org.jspecify.annotations.Nullable;

/**
 * An inverted file with one bit a coordinate: class weights stand in the list of their nearest
 * centroid, each with the sign code of its rotated difference from it. An embedding looks into the
 * lists of the best centroids, estimates the scores in them from the codes, and asks the exact
 * scores of the best few (our reconstruction of ANN Softmax; PVLDB 2021).
 *
 * <p>With w the class weight, mu its centroid, R the rotation, r = R (w - mu) and b its code, w.x
 * is mu.x + r.Rx, and (r.r / b.r) (b.Rx) estimates r.Rx without bias (RaBitQ: Gao and Long, SIGMOD
 * 2024). It is an estimate of an inner product, so that rows need not be of unit length.
 *
 * <p>Codes never go stale: {@link #moved} writes the code of a row anew. Lists do, slowly: each
 * step a few lists, in turn, look whether their classes still belong to them and move their
 * centroid to the mean, so that after {@code repairEvery} steps all have done so. Nothing stops the
 * world, and what is found at a step is a function of the weights and the steps before.
 */
public final class BinaryIvf implements ClassIndex {
  /** Most lists: centroids are one shard of rows. */
  public static final int MAX_LISTS = RowMatrix.ROWS_PER_SHARD;

  private static final int TRAINING_ITERATIONS = 8;
  private static final long ROTATION = 0x726f74;
  private static final long LISTS = 0x6c6973;
  private static final String STATE_LISTS = "lists";
  private static final String STATE_CENTROIDS = "centroids";

  private final IndexedRows rows;
  private final Settings settings;
  private final long seed;
  private final ComputeBackend backend;
  private final CodeKernels kernels;
  private final Workers workers;
  private final Rotation rotation;
  private final CoarseQuantizer quantizer;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment rotatedCentroids;
  private final Scratch[] scratch;
  private final CandidateScan scan;
  private @Nullable InvertedLists lists;
  private TopScores probes = new TopScores(0, 1);

  /**
   * Settings of an inverted file.
   *
   * @param numLists centroids, nlist; in [1, {@link #MAX_LISTS}]
   * @param numProbes lists that a sample looks into, nprobe; at least 1
   * @param numCandidates classes a sample asks the exact scores of, at least 1
   * @param repairEvery steps in which every list is repaired once, at least 1
   * @param code what codes of classes are compared with
   */
  public record Settings(
      int numLists, int numProbes, int numCandidates, int repairEvery, Code code) {
    public Settings {
      Check.inRange("numLists", numLists, 1, MAX_LISTS);
      Check.positive("numProbes", numProbes);
      Check.positive("numCandidates", numCandidates);
      Check.positive("repairEvery", repairEvery);
    }
  }

  /** How the code of a class is compared with an embedding. */
  public enum Code {
    /** With 4 bits a coordinate of the embedding: an unbiased estimate of the inner product. */
    RABITQ,

    /**
     * With the embedding's own sign code: with the angle theta between the two, each bit differs
     * with probability theta / pi. What ANN Softmax does, as we read it.
     */
    HAMMING
  }

  /** Operands of one thread. */
  private static final class Scratch {
    final MemorySegment row;
    final MemorySegment rotated;

    Scratch(int stride, int codeDim, Arena arena) {
      row = NativeMemory.allocate(4L * stride, arena);
      rotated = NativeMemory.allocate(4L * codeDim, arena);
    }
  }

  /**
   * An empty index; {@link #build} fills it.
   *
   * @param rows the class weights, (numClasses, dim)
   */
  public BinaryIvf(IndexedRows rows, Settings settings, long seed, Engine engine) {
    this.settings = settings;
    this.seed = seed;
    this.backend = engine.backend();
    this.kernels = backend.codes();
    this.workers = engine.workers();
    this.rows = rows;
    rotation = new Rotation(rows.matrix().width(), Hash.key(seed, ROTATION), engine.backend());
    quantizer = new CoarseQuantizer(rows, settings.numLists(), engine);
    rotatedCentroids = NativeMemory.allocate(4L * rotation.codeDim() * settings.numLists(), arena);
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(rows.matrix().stride(), rotation.codeDim(), arena));
    scan = new CandidateScan(rotation, settings.code(), engine);
  }

  /** Bytes that an index of so many classes takes. */
  public static long sizeInBytes(int numClasses, int width, int numLists) {
    int codeDim = Math.ceilDiv(width, CodeKernels.WORD) * CodeKernels.WORD;
    return InvertedLists.sizeInBytes(numClasses, numLists, codeDim / CodeKernels.WORD)
        + CoarseQuantizer.sizeInBytes(numLists, width)
        + 4L * codeDim * numLists;
  }

  @Override
  public void build() {
    quantizer.train(TRAINING_ITERATIONS, Hash.key(seed, LISTS));
    int[] listOf = new int[rows.matrix().numRows()];
    quantizer.assign(listOf.length, c -> c, listOf);
    layOut(listOf);
  }

  /** Makes the lists and all codes for given centroids and lists of the classes. */
  private void layOut(int[] listOf) {
    if (lists != null) {
      lists.close();
    }
    var made = new InvertedLists(rotation.words(), quantizer.numLists(), listOf);
    lists = made;
    workers.run(quantizer.numLists(), (list, _) -> rotateCentroid(list));
    workers.run(quantizer.numLists(), (list, worker) -> encodeList(made, list, worker));
  }

  private void rotateCentroid(int list) {
    rotation.rotate(quantizer.centroids().address(list), rotatedCentroid(list));
  }

  private long rotatedCentroid(int list) {
    return rotatedCentroids.address() + 4L * rotation.codeDim() * list;
  }

  private void encodeList(InvertedLists in, int list, int worker) {
    for (int place = 0; place < in.size(list); place++) {
      encode(in, in.classId(list, place), worker);
    }
  }

  /** Writes the code of a class, and its factor: r.r / b.r, or |r| for distances of Hamming. */
  private void encode(InvertedLists in, int classId, int worker) {
    Scratch own = scratch[worker];
    long r = own.rotated.address();
    rows.copy(classId, own.row.address());
    rotation.rotate(own.row.address(), r);
    backend.addScaled(rotatedCentroid(in.list(classId)), -1f, rotation.codeDim(), r);
    float sumOfMagnitudes = kernels.signs(r, rotation.words(), in.code(classId), CodeKernels.BLOCK);
    float squares = backend.dot(r, r, rotation.codeDim());
    in.setFactor(classId, factor(squares, sumOfMagnitudes));
  }

  private float factor(float squares, float sumOfMagnitudes) {
    return switch (settings.code()) {
      case RABITQ -> sumOfMagnitudes == 0 ? 0f : squares / sumOfMagnitudes;
      case HAMMING -> (float) Math.sqrt(squares);
    };
  }

  private InvertedLists built() {
    if (lists == null) {
      throw new IllegalStateException("the index is empty; build it first");
    }
    return lists;
  }

  @Override
  public void search(Embeddings embeddings, int effort, Candidates into) {
    InvertedLists in = built();
    int numProbes = (int) Math.min((long) effort * settings.numProbes(), quantizer.numLists());
    int wanted = (int) Math.min((long) effort * settings.numCandidates(), in.numClasses());
    reserve(embeddings.numPanels(), numProbes);
    probes.clear();
    workers.run(
        embeddings.numPanels(),
        (panel, worker) -> quantizer.probe(embeddings, panel, numProbes, worker, probes));
    scan.scan(in, embeddings, probes, wanted);
    workers.run(embeddings.size(), (sample, _) -> propose(in, embeddings, sample, into));
  }

  private void reserve(int numPanels, int numProbes) {
    int samples = ComputeBackend.PANEL * numPanels;
    if (probes.samples() < samples || probes.k() != numProbes) {
      probes = new TopScores(samples, numProbes);
    }
  }

  private void propose(InvertedLists in, Embeddings embeddings, int sample, Candidates into) {
    int count = scan.finish(in, sample);
    into.resize(sample, count);
    int[] classIds = into.classIds(sample);
    for (int i = 0; i < count; i++) {
      classIds[i] = scan.classId(sample, i);
    }
    rows.scores(embeddings.row(sample), classIds, count, into.scores(sample));
  }

  @Override
  public float score(Embeddings embeddings, int sample, int classId) {
    return rows.score(embeddings.row(sample), classId);
  }

  @Override
  public void moved(int classId, int worker) {
    encode(built(), classId, worker);
  }

  @Override
  public void endStep(long step) {
    int period = settings.repairEvery();
    int numLists = quantizer.numLists();
    int phase = (int) (step % period);
    int from = (int) ((long) numLists * phase / period);
    int to = (int) ((long) numLists * (phase + 1) / period);
    for (int list = from; list < to; list++) {
      repair(built(), list);
    }
  }

  /** Lets classes go that are nearer to another centroid; the centroid becomes their mean. */
  private void repair(InvertedLists in, int list) {
    int size = in.size(list);
    int[] members = new int[size];
    Arrays.setAll(members, place -> in.classId(list, place));
    Arrays.sort(members); // the mean adds in this order, whatever moves came before
    int[] listOf = new int[size];
    quantizer.assignNear(list, size, i -> members[i], listOf);
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (listOf[i] == list) {
        members[kept++] = members[i];
      } else {
        in.move(members[i], listOf[i]);
        encode(in, members[i], 0);
      }
    }
    if (kept > 0) {
      quantizer.moveToMean(list, members, kept);
      rotateCentroid(list);
      int left = kept;
      workers.run(left, (i, worker) -> encode(in, members[i], worker));
    }
  }

  /** The list of each class, and the centroids; codes follow from them and the weights. */
  @Override
  public Map<String, MemorySegment> state() {
    InvertedLists in = built();
    var listOf = NativeMemory.allocate(4L * in.numClasses(), Arena.ofAuto());
    for (int c = 0; c < in.numClasses(); c++) {
      listOf.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, c, in.list(c));
    }
    return Map.of(
        STATE_LISTS, listOf, STATE_CENTROIDS, quantizer.centroids().shards().getFirst().rows());
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    MemorySegment centroids = quantizer.centroids().shards().getFirst().rows();
    centroids.copyFrom(sections.apply(STATE_CENTROIDS));
    quantizer.centroidsChanged();
    int[] listOf = sections.apply(STATE_LISTS).toArray(ValueLayout.JAVA_INT_UNALIGNED);
    if (listOf.length != rows.matrix().numRows()) {
      throw new IllegalArgumentException(
          "the saved index holds %,d classes, but there are %,d; resume with the model that it was saved with"
              .formatted(listOf.length, rows.matrix().numRows()));
    }
    layOut(listOf);
  }

  @Override
  public void close() {
    if (lists != null) {
      lists.close();
    }
    quantizer.close();
    arena.close();
  }
}
