// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.Workers;
import megaclass.index.Candidates;
import megaclass.index.ClassIndex;
import megaclass.internal.Ranking;
import org.jspecify.annotations.Nullable;

/**
 * The classes that matter most to a batch, among those that an index proposes for its samples.
 *
 * <p>A shared set of M classes leaves the least probability out when it takes the classes with the
 * largest probability summed over the samples: a hard sample, whose probability is spread over many
 * classes, gets many of them, an easy one few. Probabilities are those among the target and the
 * candidates of a sample, from exact logits.
 *
 * <p>With a coverage below 1 it takes no more classes than make up that share of the whole softmax,
 * of which the part without candidates is estimated ({@link RestOfSoftmax}). When all candidates
 * are too few for it, the index makes twice the effort from the next step on; when a quarter of
 * them is enough, half.
 */
final class IndexedClasses implements ClassSelector {
  /** Classes are dealt to this many parts, each of which adds in the order of the samples. */
  private static final int PARTS = 16;

  private static final int MAX_EFFORT = 64;
  private static final String STATE_EFFORT = "effort";

  private final ClassIndex index;
  private final SelectionProblem problem;
  private final double coverage;
  private final @Nullable RestOfSoftmax rest;
  private final Workers workers;
  private final Candidates candidates;
  private final double[] logSumExp;
  private final double[] targetMass;
  private final MassTable[] parts = new MassTable[PARTS];
  private long[] ranked = new long[0];
  private int numActive;
  private int effort = 1;
  private int nextEffort = 1;

  /**
   * Selects.
   *
   * @param numActive number of active classes, targets included
   * @param coverage share of the probability at which no more are taken, in (0, 1]
   */
  IndexedClasses(ClassIndex index, int numActive, double coverage, SelectionProblem problem) {
    this.index = index;
    this.problem = problem;
    this.coverage = coverage;
    this.rest = coverage < 1 ? new RestOfSoftmax(problem) : null;
    this.numActive = Math.min(numActive, problem.weights().numClasses());
    this.workers = problem.engine().workers();
    candidates = new Candidates(problem.batchSize());
    logSumExp = new double[problem.batchSize()];
    targetMass = new double[problem.batchSize()];
    Arrays.setAll(parts, _ -> new MassTable());
  }

  /** With the index of a spec that has one. */
  static IndexedClasses of(SelectorSpec spec, SelectionProblem problem) {
    int numActive = ClassIndexes.numActive(spec, problem.weights().numClasses());
    double coverage = spec instanceof SelectorSpec.Ivf ivf ? ivf.coverage() : 1;
    return new IndexedClasses(ClassIndexes.of(spec, problem), numActive, coverage, problem);
  }

  /** Number of active classes from the next batch on, targets included, or at most so many. */
  void numActive(int numActive) {
    this.numActive = numActive;
  }

  int numActive() {
    return numActive;
  }

  /** How many times as much as usual the index looks at from the next batch on. */
  void effort(int effort) {
    this.effort = effort;
    nextEffort = effort;
  }

  /** Lets the index look twice as far from the next batch on. */
  void raiseEffort() {
    effort(Math.min(MAX_EFFORT, 2 * effort));
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
    effort = nextEffort;
    index.endStep(step);
  }

  @Override
  public long age(long step) {
    return index.age(step);
  }

  @Override
  public double drift() {
    return index.drift();
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new HashMap<>(index.state());
    state.put(STATE_EFFORT, SavedInt.of(effort));
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    index.restore(sections);
    effort(SavedInt.value(sections.apply(STATE_EFFORT)));
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    index.search(embeddings, effort, candidates);
    if (rest != null) {
      rest.draw(embeddings, draw);
    }
    workers.run(embeddings.size(), (sample, _) -> normalise(embeddings, sample, targets[sample]));
    workers.run(PARTS, (part, _) -> addMass(part, targets));
    var set = new ClassSet(Math.max(numActive, targets.length)).addAll(targets);
    int found = rank(set);
    int wanted = Math.min(found, Math.max(0, numActive - set.size()));
    Ranking.selectBest(ranked, found, wanted);
    if (coverage < 1) {
      wanted = fewestThatCover(set, wanted, targets.length);
    }
    for (int i = 0; i < wanted; i++) {
      set.add(Ranking.id(ranked[i]));
    }
    return ActiveClasses.of(set.sorted(), null, targets);
  }

  /** log Z of a sample: over its target and its candidates, and over the rest if that is known. */
  private void normalise(Embeddings embeddings, int sample, int target) {
    double targetLogit = problem.scale() * index.score(embeddings, sample, target);
    double restLogit =
        rest == null ? Double.NEGATIVE_INFINITY : rest.logSumExp(sample, target, candidates);
    double max = Math.max(targetLogit, restLogit);
    for (int i = 0; i < candidates.size(sample); i++) {
      max = Math.max(max, problem.scale() * candidates.score(sample, i));
    }
    double sum = Math.exp(targetLogit - max) + Math.exp(restLogit - max);
    for (int i = 0; i < candidates.size(sample); i++) {
      if (candidates.classId(sample, i) != target) {
        sum += Math.exp(problem.scale() * candidates.score(sample, i) - max);
      }
    }
    logSumExp[sample] = max + Math.log(sum);
    targetMass[sample] = Math.exp(targetLogit - logSumExp[sample]);
  }

  private void addMass(int part, int[] targets) {
    MassTable table = parts[part];
    table.clear();
    for (int sample = 0; sample < targets.length; sample++) {
      for (int i = 0; i < candidates.size(sample); i++) {
        int classId = candidates.classId(sample, i);
        if (classId % PARTS == part && classId != targets[sample]) {
          double logit = problem.scale() * candidates.score(sample, i);
          table.add(classId, (float) Math.exp(logit - logSumExp[sample]));
        }
      }
    }
  }

  /** How many of the {@code most} best ranked classes make up the coverage, beside the targets. */
  private int fewestThatCover(ClassSet targets, int most, int batch) {
    double wanted = coverage * batch;
    double covered = 0;
    for (int sample = 0; sample < batch; sample++) {
      covered += targetMass[sample];
    }
    for (MassTable table : parts) {
      for (int i = 0; i < table.size(); i++) {
        covered += targets.contains(table.classId(i)) ? table.mass(i) : 0;
      }
    }
    Arrays.sort(ranked, 0, most);
    int count = 0;
    while (covered < wanted && count < most) {
      covered += Ranking.score(ranked[count++]);
    }
    int found = Arrays.stream(parts).mapToInt(MassTable::size).sum();
    nextEffort = effort;
    if (covered < wanted && targets.size() + most < numActive) {
      nextEffort = Math.min(MAX_EFFORT, 2 * effort);
    } else if (covered >= wanted && 4L * count < found) {
      nextEffort = Math.max(1, effort / 2);
    }
    return count;
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
