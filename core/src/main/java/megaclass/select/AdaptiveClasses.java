// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import static megaclass.compute.ComputeBackend.PANEL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.NativeMemory;
import megaclass.select.SelectorSpec.Adaptive;

/**
 * Adaptive allocation (HF-Softmax, section "adaptive allocation"; the paper's rule, in our
 * reconstruction): now and then an exact pass over all classes tells how few of them hold most of
 * the softmax, and so many are active from then on.
 *
 * <p>The same pass tells what the index misses: when the active classes hold much less than the
 * best of a sample's part of them would, the index makes twice the effort, in place of the paper's
 * more trees.
 */
final class AdaptiveClasses extends AddedSelector {
  /** What the active classes hold of what they could hold; below it the index must look further. */
  private static final double ENOUGH_RECALL = 0.95;

  private static final String STATE_NUM_ACTIVE = "adaptive";

  private final IndexedClasses indexed;
  private final Adaptive spec;
  private final SelectionProblem problem;
  private final int fewest;
  private final int most;
  private final MassCurve curve;
  private final MemorySegment panel;
  private int samples;
  private ActiveClasses active = ActiveClasses.all(0, new int[0]);

  AdaptiveClasses(IndexedClasses indexed, Adaptive spec, SelectionProblem problem) {
    super(indexed);
    this.indexed = indexed;
    this.spec = spec;
    this.problem = problem;
    most = indexed.numActive();
    fewest = Math.min(most, 2 * problem.batchSize());
    curve = new MassCurve(problem);
    int stride = problem.weights().matrix().stride();
    panel = NativeMemory.allocate(4L * PANEL * stride, Arena.ofAuto());
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long step) {
    active = indexed.select(embeddings, targets, step);
    samples = Math.min(PANEL, embeddings.size());
    panel.copyFrom(MemorySegment.ofAddress(embeddings.panel(0)).reinterpret(panel.byteSize()));
    return active;
  }

  @Override
  public void endStep(long step) {
    indexed.endStep(step);
    if ((step + 1) % spec.probeEvery() == 0) {
      curve.measure(panel.address(), samples);
      int wanted = allocate();
      // Half the way, in ratios, so that one odd batch does not decide.
      indexed.numActive((int) Math.round(Math.sqrt((double) indexed.numActive() * wanted)));
      adaptEffort();
    }
  }

  private int allocate() {
    int needed = Math.max(fewest, curve.fewest(spec.massThreshold(), most));
    boolean reached = curve.at(needed) >= spec.massThreshold();
    return switch (spec.policy()) {
      case LITERAL -> needed;
      case REACHABLE -> reached ? needed : fewest;
    };
  }

  /** A sample's part of the active classes could hold as much as its best classes do. */
  private void adaptEffort() {
    int part = Math.max(1, active.numActive() / Math.max(1, problem.batchSize()));
    double held = curve.heldBy(active, panel.address());
    if (held < ENOUGH_RECALL * curve.at(part)) {
      indexed.raiseEffort();
    }
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new HashMap<>(indexed.state());
    state.put(STATE_NUM_ACTIVE, SavedInt.of(indexed.numActive()));
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    indexed.restore(sections);
    indexed.numActive(SavedInt.value(sections.apply(STATE_NUM_ACTIVE)));
  }
}
