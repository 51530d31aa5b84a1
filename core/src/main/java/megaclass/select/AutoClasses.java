// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.select.SelectorSpec.Auto;

/**
 * Uniform classes or those of an inverted file, whichever gets further for what a step costs. At a
 * few steps, ever rarer, all of them choose for the batch at hand, an exact pass over the classes
 * tells where the gradient of each choice points, and the best one serves from there on.
 *
 * <p>How far a step gets goes with the square of {@link GradientCosine}. The probability that a
 * choice holds does not tell it: uniform classes with log weights hold little, and their gradient
 * is right on average (docs/selection.md).
 *
 * <p>Costs are nominal ({@link StepCost}), not measured: what a run learns must not depend on how
 * busy its machine is. While uniform classes serve, the index rests and costs nothing.
 */
final class AutoClasses implements ClassSelector {
  /** Share of the draws that stand for the classes left out, beside those that an index finds. */
  private static final double TAIL = 0.25;

  private static final int UNIFORM = 0;
  private static final int[] OPTIONS = {UNIFORM, 1, 2, 4};
  private static final int ALL_EFFORTS = Arrays.stream(OPTIONS).sum();

  /** A choice by itself is due when the steps before it took so many times as long. */
  private static final double STEPS_BETWEEN = 50;

  private static final String STATE_EFFORT = "auto";

  private final Auto spec;
  private final ClassSelector uniform;
  private final IndexedClasses indexed;
  private final ClassSelector tailed;
  private final GradientCosine cosine;
  private final StepCost cost;
  private final long firstTuned;

  /** Effort of the index that serves; 0 for uniform classes. */
  private int effort = UNIFORM;

  private int nextEffort = UNIFORM;

  AutoClasses(Auto spec, SelectionProblem problem) {
    this.spec = spec;
    int numClasses = problem.weights().numClasses();
    uniform = new UniformClasses(numClasses, spec.rate(), true, problem.seed());
    indexed = IndexedClasses.of(index(spec), problem);
    tailed = new TailedClasses(indexed, numClasses, TAIL, problem.seed());
    cosine = new GradientCosine(problem);
    cost = new StepCost(problem);
    firstTuned = spec.tuneAfter() > 0 ? spec.tuneAfter() : affordable(numClasses);
  }

  private long affordable(int numClasses) {
    int numActive = (int) Math.ceil(spec.rate() * numClasses);
    double tuning = cost.ofTuning(index(spec), ALL_EFFORTS, numActive);
    return (long) Math.ceil(STEPS_BETWEEN * tuning / cost.ofClasses(numActive));
  }

  /** The index that may serve; with its tail it makes as many classes active as are uniform. */
  static SelectorSpec.Ivf index(Auto spec) {
    return SelectorSpec.Ivf.ofRate(spec.rate() / (1 + TAIL));
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    if (isTuned(draw)) {
      nextEffort = best(embeddings, targets, draw);
      return select(nextEffort, embeddings, targets, draw);
    }
    nextEffort = effort;
    return select(effort, embeddings, targets, draw);
  }

  private ActiveClasses select(int withEffort, Embeddings embeddings, int[] targets, long draw) {
    if (withEffort != UNIFORM) {
      indexed.effort(withEffort);
    }
    return serving(withEffort).select(embeddings, targets, draw);
  }

  private ClassSelector serving(int withEffort) {
    return withEffort == UNIFORM ? uniform : tailed;
  }

  /** After so many steps for the first time, and then whenever they have become four times more. */
  private boolean isTuned(long draw) {
    long at = firstTuned;
    while (at < draw && at <= Long.MAX_VALUE / 4) {
      at *= 4;
    }
    return at == draw;
  }

  private int best(Embeddings embeddings, int[] targets, long draw) {
    indexed.begin();
    long panel = embeddings.panel(0);
    int[] ofPanel = Arrays.copyOf(targets, Math.min(PANEL, embeddings.size()));
    cosine.measure(panel, ofPanel);
    int best = UNIFORM;
    double most = 0;
    for (int withEffort : OPTIONS) {
      ActiveClasses active = select(withEffort, embeddings, targets, draw);
      double reached = cosine.of(active, panel, ofPanel);
      double perCost = reached * reached / nominalCost(active.numActive(), withEffort);
      if (perCost > most) {
        most = perCost;
        best = withEffort;
      }
    }
    return best;
  }

  private double nominalCost(int numActive, int withEffort) {
    double step = cost.ofClasses(numActive);
    return withEffort == UNIFORM ? step : step + cost.ofSearch(index(spec), withEffort, numActive);
  }

  @Override
  public void moved(int classId, int worker) {
    serving(nextEffort).moved(classId, worker);
  }

  @Override
  public void endStep(long step) {
    effort = nextEffort;
    serving(effort).endStep(step);
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new HashMap<>(serving(effort).state());
    state.put(STATE_EFFORT, SavedInt.of(effort));
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    effort = SavedInt.value(sections.apply(STATE_EFFORT));
    nextEffort = effort;
    serving(effort).restore(sections);
  }

  @Override
  public void close() {
    tailed.close();
  }
}
