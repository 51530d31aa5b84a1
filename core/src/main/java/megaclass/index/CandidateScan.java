// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import megaclass.backbone.Embeddings;
import megaclass.compute.CodeKernels;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.Workers;
import megaclass.internal.Ranking;
import megaclass.internal.TopScores;

/**
 * Finds the best estimated classes of each sample of a batch in the lists that it probes.
 *
 * <p>A sample first goes through its few best lists, which sets a threshold that little else
 * passes. Then list after list is read once for all samples of a thread that probe it, four at a
 * time: codes come from memory far slower than they are compared. What a sample keeps depends on
 * the order of its own lists alone, best ones first and then ascending, so it does not matter which
 * thread it falls to.
 */
final class CandidateScan {
  /** Lists that a sample goes through alone. */
  private static final int ALONE = 4;

  /** Sorting out fewer than this costs more than a higher threshold saves. */
  private static final int FEWEST_TO_SORT_OUT = 96;

  /** Samples that a list is compared with at once. */
  private static final int TOGETHER = 4;

  private final Rotation rotation;
  private final BinaryIvf.Code code;
  private final CodeKernels kernels;
  private final ComputeBackend backend;
  private final Workers workers;
  private final Scratch[] scratch;

  /** Cosine of the angle that a distance of Hamming stands for. */
  private final float[] cosines;

  private int wanted;
  private Found[] found = new Found[0];
  private MemorySegment queries = MemorySegment.NULL;

  /** A scan to be used for many batches. */
  CandidateScan(Rotation rotation, BinaryIvf.Code code, Engine engine) {
    this.rotation = rotation;
    this.code = code;
    this.backend = engine.backend();
    this.kernels = backend.codes();
    this.workers = engine.workers();
    scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, _ -> new Scratch(rotation.codeDim()));
    cosines = new float[rotation.codeDim() + 1];
    for (int distance = 0; distance < cosines.length; distance++) {
      cosines[distance] = (float) Math.cos(Math.PI * distance / rotation.codeDim());
    }
  }

  /** Operands of one thread. */
  private static final class Scratch {
    final MemorySegment rotated;
    final int[] samples = new int[TOGETHER];
    final long[] queries = new long[TOGETHER];
    final float[] scales = new float[TOGETHER];
    final float[] bases = new float[TOGETHER];
    long[] sums = new long[0];
    int[] distances = new int[0];
    float[] estimates = new float[0];
    int[] hits = new int[0];
    int[] starts = new int[0];
    int[] pairs = new int[0];

    Scratch(int codeDim) {
      rotated = NativeMemory.allocate(4L * codeDim, Arena.ofAuto());
    }

    void reserve(int slots) {
      if (sums.length < slots) {
        int room = slots + slots / 4;
        sums = new long[room];
        distances = new int[TOGETHER * room];
        estimates = new float[TOGETHER * room];
      }
      reserveHits(slots);
    }

    void reserveHits(int room) {
      if (hits.length < room) {
        hits = new int[room + room / 4];
      }
    }
  }

  /**
   * Scans for all samples of a batch.
   *
   * @param probes the lists of each sample with the scores of their centroids, best first
   * @param wanted classes to keep of each sample
   */
  void scan(InvertedLists lists, Embeddings embeddings, TopScores probes, int wanted) {
    this.wanted = wanted;
    reserve(embeddings.size());
    int parts = Math.min(workers.threads(), embeddings.size());
    workers.run(
        parts,
        (part, worker) -> {
          int from = (int) ((long) embeddings.size() * part / parts);
          int to = (int) ((long) embeddings.size() * (part + 1) / parts);
          Scratch own = scratch[worker];
          for (int sample = from; sample < to; sample++) {
            begin(embeddings, sample, own);
            int alone = Math.min(ALONE, probes.size(sample));
            for (int rank = 0; rank < alone; rank++) {
              own.samples[0] = sample;
              own.bases[0] = probes.score(sample, rank);
              compare(lists, probes.id(sample, rank), 1, own);
            }
          }
          sortByList(lists.numLists(), probes, from, to, own);
          for (int list = 0; list < lists.numLists(); list++) {
            compareTogether(lists, list, probes, own);
          }
        });
  }

  private void reserve(int batch) {
    if (found.length < batch) {
      found = new Found[batch];
      Arrays.setAll(found, _ -> new Found());
      queries = NativeMemory.allocate(queryBytes() * batch, Arena.ofAuto());
    }
  }

  private long queryBytes() {
    return 8L * rotation.words() * CodeKernels.PLANES;
  }

  private void begin(Embeddings embeddings, int sample, Scratch own) {
    long query = queries.address() + queryBytes() * sample;
    rotation.rotate(embeddings.row(sample), own.rotated.address());
    found[sample].begin(encode(own.rotated.address(), query));
  }

  /** Writes what a rotated embedding is compared by; returns what the comparison is scaled by. */
  private float encode(long rotated, long query) {
    return switch (code) {
      case RABITQ -> kernels.planes(rotated, rotation.words(), query);
      case HAMMING -> {
        kernels.signs(rotated, rotation.words(), query, 1);
        yield (float) Math.sqrt(backend.dot(rotated, rotated, rotation.codeDim()));
      }
    };
  }

  /** Counting sort: those who probe list l are pairs[starts[l]] up to pairs[starts[l + 1]]. */
  private static void sortByList(int numLists, TopScores probes, int from, int to, Scratch own) {
    if (own.starts.length != numLists + 2) {
      own.starts = new int[numLists + 2];
    }
    int[] starts = own.starts; // one place further while counting
    Arrays.fill(starts, 0);
    int total = 0;
    for (int sample = from; sample < to; sample++) {
      for (int rank = ALONE; rank < probes.size(sample); rank++, total++) {
        starts[probes.id(sample, rank) + 2]++;
      }
    }
    for (int list = 2; list < starts.length; list++) {
      starts[list] += starts[list - 1];
    }
    if (own.pairs.length < 2 * total) {
      own.pairs = new int[2 * total];
    }
    for (int sample = from; sample < to; sample++) {
      for (int rank = ALONE; rank < probes.size(sample); rank++) {
        int at = starts[probes.id(sample, rank) + 1]++;
        own.pairs[2 * at] = sample;
        own.pairs[2 * at + 1] = rank;
      }
    }
  }

  private void compareTogether(InvertedLists lists, int list, TopScores probes, Scratch own) {
    int to = own.starts[list + 1];
    for (int at = own.starts[list]; at < to; at += TOGETHER) {
      int count = Math.min(TOGETHER, to - at);
      for (int i = 0; i < count; i++) {
        own.samples[i] = own.pairs[2 * (at + i)];
        own.bases[i] = probes.score(own.samples[i], own.pairs[2 * (at + i) + 1]);
      }
      compare(lists, list, count, own);
    }
  }

  /** Compares a list with the samples that stand in the scratch. */
  private void compare(InvertedLists lists, int list, int count, Scratch own) {
    int size = lists.size(list);
    int slots = Math.ceilDiv(size, CodeKernels.BLOCK) * CodeKernels.BLOCK;
    own.reserve(slots);
    for (int i = 0; i < count; i++) {
      own.queries[i] = queries.address() + queryBytes() * own.samples[i];
      own.scales[i] = found[own.samples[i]].scale;
    }
    estimate(lists, list, count, slots, own);
    for (int i = 0; i < count; i++) {
      int sample = own.samples[i];
      int from = i * slots;
      int hits = kernels.above(own.estimates, from, from + size, found[sample].threshold, own.hits);
      keep(lists, list, sample, from, hits, own);
    }
  }

  private void estimate(InvertedLists lists, int list, int count, int slots, Scratch own) {
    int numBlocks = slots / CodeKernels.BLOCK;
    long codes = lists.codes(list);
    switch (code) {
      case RABITQ ->
          kernels.estimates(
              own.queries,
              own.scales,
              own.bases,
              count,
              codes,
              lists.factors(list),
              numBlocks,
              rotation.words(),
              own.sums,
              own.estimates);
      case HAMMING -> {
        kernels.distances(own.queries, count, codes, numBlocks, rotation.words(), own.distances);
        for (int i = 0; i < count; i++) {
          for (int place = 0; place < lists.size(list); place++) {
            float cosine = cosines[own.distances[i * slots + place]];
            own.estimates[i * slots + place] =
                own.bases[i] + own.scales[i] * lists.factor(list, place) * cosine;
          }
        }
      }
    }
  }

  private void keep(InvertedLists lists, int list, int sample, int from, int hits, Scratch own) {
    Found of = found[sample];
    of.reserve(of.size + hits);
    int firstSlot = lists.firstSlot(list);
    for (int h = 0; h < hits; h++) {
      int place = own.hits[h];
      of.scores[of.size] = own.estimates[from + place];
      of.slots[of.size++] = firstSlot + place;
    }
    if (of.size >= enough()) {
      sortOut(lists, of, own);
    }
  }

  /** Classes of a sample at which those that cannot be among the best are sorted out. */
  private int enough() {
    return Math.max(wanted + wanted / 2, FEWEST_TO_SORT_OUT);
  }

  /** Keeps what is surely among the best and little else; all others must be better from now on. */
  private void sortOut(InvertedLists lists, Found of, Scratch own) {
    of.threshold = Math.nextDown(kernels.threshold(of.scores, of.size, wanted));
    own.reserveHits(of.size);
    int kept = kernels.above(of.scores, 0, of.size, of.threshold, own.hits);
    for (int i = 0; i < kept; i++) {
      of.scores[i] = of.scores[own.hits[i]];
      of.slots[i] = of.slots[own.hits[i]];
    }
    of.size = kept;
    if (kept > enough() / 4 * 3) { // nearly all estimates are equal
      of.size = of.best(lists, wanted);
      for (int i = 0; i < of.size; i++) {
        of.scores[i] = Ranking.score(of.keys[i]);
        of.slots[i] = lists.slot(Ranking.id(of.keys[i]));
      }
    }
  }

  /** Ends the scan of a sample; returns how many classes it keeps. */
  int finish(InvertedLists lists, int sample) {
    return found[sample].best(lists, wanted);
  }

  /** A class that a sample keeps, in no order, after {@link #finish}. */
  int classId(int sample, int i) {
    return Ranking.id(found[sample].keys[i]);
  }

  /** What was found for a sample so far. Ids of classes are far away, and read at the end. */
  private static final class Found {
    float[] scores = new float[0];
    int[] slots = new int[0];
    long[] keys = new long[0];
    int size;

    /** What is not above it is not among the best. */
    float threshold;

    /** What its comparisons are scaled by. */
    float scale;

    void begin(float scale) {
      this.scale = scale;
      size = 0;
      threshold = Float.NEGATIVE_INFINITY;
    }

    void reserve(int room) {
      if (scores.length < room) {
        scores = Arrays.copyOf(scores, room + room / 2);
        slots = Arrays.copyOf(slots, room + room / 2);
      }
    }

    /** Puts the best first into the keys; of equal ones those of the smallest ids; how many. */
    int best(InvertedLists lists, int wanted) {
      if (keys.length < size) {
        keys = new long[size + size / 2];
      }
      for (int i = 0; i < size; i++) {
        keys[i] = Ranking.key(scores[i], lists.classIdAt(slots[i]));
      }
      int kept = Math.min(size, wanted);
      Ranking.selectBest(keys, size, kept);
      return kept;
    }
  }
}
