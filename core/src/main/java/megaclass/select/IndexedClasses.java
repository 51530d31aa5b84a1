// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.Workers;
import megaclass.index.BinaryIvf;
import megaclass.index.Candidates;
import megaclass.index.ClassIndex;
import megaclass.index.IndexedRows;
import megaclass.internal.Ranking;

/**
 * The classes that matter most to a batch, among those that an index proposes for its samples.
 *
 * <p>A shared set of M classes leaves the least probability out when it takes the classes with the
 * largest probability summed over the samples: a hard sample, whose probability is spread over many
 * classes, gets many of them, an easy one few. Probabilities are those among the target and the
 * candidates of a sample, from exact logits.
 */
final class IndexedClasses implements ClassSelector {
  /** Classes are dealt to this many parts, each of which adds in the order of the samples. */
  private static final int PARTS = 16;

  private final ClassIndex index;
  private final SelectionProblem problem;
  private final int numActive;
  private final Workers workers;
  private final Candidates candidates;
  private final double[] logSumExp;
  private final MassTable[] parts = new MassTable[PARTS];
  private long[] ranked = new long[0];

  /**
   * Selects.
   *
   * @param numActive number of active classes, targets included
   */
  IndexedClasses(ClassIndex index, int numActive, SelectionProblem problem) {
    this.index = index;
    this.problem = problem;
    this.numActive = Math.min(numActive, problem.weights().numClasses());
    this.workers = problem.engine().workers();
    candidates = new Candidates(problem.batchSize());
    logSumExp = new double[problem.batchSize()];
    Arrays.setAll(parts, _ -> new MassTable());
  }

  /** With an inverted file. */
  static IndexedClasses of(SelectorSpec.Ivf spec, SelectionProblem problem) {
    int numClasses = problem.weights().numClasses();
    if (spec.numLists() > numClasses) {
      throw new IllegalArgumentException(
          "numLists must be at most the number of classes, %d, but was %d; give fewer, or 0 for a suitable number"
              .formatted(numClasses, spec.numLists()));
    }
    int numActive = Math.clamp(Math.round(spec.rate() * numClasses), 1, numClasses);
    int numLists = numLists(spec, numClasses);
    int numProbes = spec.numProbes() > 0 ? spec.numProbes() : Math.max(8, numLists / 32);
    int numCandidates =
        spec.numCandidates() > 0
            ? spec.numCandidates()
            : Math.max(16, Math.ceilDiv(4 * numActive, problem.batchSize()));
    var settings =
        new BinaryIvf.Settings(
            numLists,
            Math.min(numProbes, numLists),
            Math.min(numCandidates, numClasses),
            spec.repairEvery());
    var index =
        new BinaryIvf(
            new IndexedRows(
                problem.weights().matrix(), problem.normalised(), problem.engine().backend()),
            settings,
            problem.seed(),
            problem.engine());
    return new IndexedClasses(index, numActive, problem);
  }

  private static int numLists(SelectorSpec.Ivf spec, int numClasses) {
    return spec.numLists() > 0
        ? spec.numLists()
        : Math.clamp(Math.round(2 * Math.sqrt(numClasses)), 1, numClasses);
  }

  /** Bytes of the inverted file. */
  static long sizeInBytes(SelectorSpec.Ivf spec, int numClasses, int width) {
    return BinaryIvf.sizeInBytes(numClasses, width, numLists(spec, numClasses));
  }

  @Override
  public void begin() {
    index.build();
  }

  @Override
  public void moved(int classId, int worker) {
    index.moved(classId, worker);
  }

  @Override
  public void endStep(long step) {
    index.endStep(step);
  }

  @Override
  public Map<String, MemorySegment> state() {
    return index.state();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    index.restore(sections);
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    index.search(embeddings, candidates);
    workers.run(embeddings.size(), (sample, _) -> normalise(embeddings, sample, targets[sample]));
    workers.run(PARTS, (part, _) -> addMass(part, embeddings.size()));
    var set = new ClassSet(Math.max(numActive, targets.length)).addAll(targets);
    int found = rank(set);
    int wanted = Math.min(found, Math.max(0, numActive - set.size()));
    Ranking.selectBest(ranked, found, wanted);
    for (int i = 0; i < wanted; i++) {
      set.add(Ranking.id(ranked[i]));
    }
    return ActiveClasses.of(set.sorted(), null, targets);
  }

  /** log Z of a sample over its target and its candidates. */
  private void normalise(Embeddings embeddings, int sample, int target) {
    double targetLogit = problem.scale() * index.score(embeddings, sample, target);
    double max = targetLogit;
    for (int i = 0; i < candidates.size(sample); i++) {
      max = Math.max(max, problem.scale() * candidates.score(sample, i));
    }
    double sum = Math.exp(targetLogit - max);
    for (int i = 0; i < candidates.size(sample); i++) {
      if (candidates.classId(sample, i) != target) {
        sum += Math.exp(problem.scale() * candidates.score(sample, i) - max);
      }
    }
    logSumExp[sample] = max + Math.log(sum);
  }

  private void addMass(int part, int batch) {
    MassTable table = parts[part];
    table.clear();
    for (int sample = 0; sample < batch; sample++) {
      for (int i = 0; i < candidates.size(sample); i++) {
        int classId = candidates.classId(sample, i);
        if (classId % PARTS == part) {
          double logit = problem.scale() * candidates.score(sample, i);
          table.add(classId, (float) Math.exp(logit - logSumExp[sample]));
        }
      }
    }
  }

  /** Gathers all classes that are not in the set, with their mass; returns how many. */
  private int rank(ClassSet without) {
    int total = Arrays.stream(parts).mapToInt(MassTable::size).sum();
    if (ranked.length < total) {
      ranked = new long[total + total / 4];
    }
    int found = 0;
    for (MassTable table : parts) {
      for (int i = 0; i < table.size(); i++) {
        if (!without.contains(table.classId(i))) {
          ranked[found++] = Ranking.key(table.mass(i), table.classId(i));
        }
      }
    }
    return found;
  }

  @Override
  public void close() {
    index.close();
  }
}
