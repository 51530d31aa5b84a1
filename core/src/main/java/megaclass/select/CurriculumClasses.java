// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.NativeMemory;

/**
 * Uniform classes first, those of another selector later (the curriculum of ASTRA): at the start of
 * a run the weights say little about which classes matter, and an index over them costs for
 * nothing. The index is built when its turn comes.
 */
final class CurriculumClasses extends AddedSelector {
  private static final String STATE_STARTED = "curriculum";

  private final ClassSelector first;
  private final ClassSelector later;
  private final long numSteps;
  private boolean started;

  /**
   * Selects.
   *
   * @param first selects at the start; has no state
   * @param numSteps after so many steps {@code later} begins
   */
  CurriculumClasses(ClassSelector first, ClassSelector later, long numSteps) {
    super(later);
    this.first = first;
    this.later = later;
    this.numSteps = numSteps;
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    return (started ? later : first).select(embeddings, targets, draw);
  }

  @Override
  public boolean readsAllWeights() {
    return started && later.readsAllWeights();
  }

  /** The turn of the index comes later. */
  @Override
  public void begin() {}

  @Override
  public void moved(int classId, int worker) {
    if (started) {
      later.moved(classId, worker);
    }
  }

  @Override
  public void endStep(long step) {
    if (started) {
      later.endStep(step);
    } else if (step + 1 >= numSteps) {
      later.begin();
      started = true;
    }
  }

  @Override
  public long age(long step) {
    return started ? later.age(step) : 0;
  }

  @Override
  public double drift() {
    return started ? later.drift() : 0;
  }

  @Override
  public Map<String, MemorySegment> state() {
    Map<String, MemorySegment> state = started ? new HashMap<>(later.state()) : new HashMap<>();
    MemorySegment saved = NativeMemory.allocate(1, Arena.ofAuto());
    saved.set(ValueLayout.JAVA_BOOLEAN, 0, started);
    state.put(STATE_STARTED, saved);
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    started = sections.apply(STATE_STARTED).get(ValueLayout.JAVA_BOOLEAN, 0);
    if (started) {
      later.restore(sections);
    }
  }
}
