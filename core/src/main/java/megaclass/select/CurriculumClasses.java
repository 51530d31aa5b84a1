// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;

/**
 * Uniform classes first, those of another selector later (the curriculum of ASTRA): at the start of
 * a run the weights say little about which classes matter, and an index over them costs for
 * nothing. The index is built when its turn comes.
 */
final class CurriculumClasses implements ClassSelector {
  private static final String STATE_STARTED = "curriculum";

  private final ClassSelector first;
  private final ClassSelector later;
  private final long numSteps;
  private boolean started;

  /**
   * Selects.
   *
   * @param first selects at the start; owns nothing
   * @param later begins after {@code numSteps} steps; closed with this
   */
  CurriculumClasses(ClassSelector first, ClassSelector later, long numSteps) {
    this.first = first;
    this.later = later;
    this.numSteps = numSteps;
  }

  private ClassSelector serving() {
    return started ? later : first;
  }

  @Override
  public ActiveClasses select(Embeddings embeddings, int[] targets, long draw) {
    return serving().select(embeddings, targets, draw);
  }

  @Override
  public int[] foreseen(int[] targets, long draw) {
    return serving().foreseen(targets, draw);
  }

  @Override
  public boolean readsAllWeights() {
    return serving().readsAllWeights();
  }

  @Override
  public void begin() {
    first.begin();
  }

  @Override
  public void moved(int classId, int worker) {
    serving().moved(classId, worker);
  }

  @Override
  public void endStep(long step) {
    serving().endStep(step);
    if (!started && step + 1 >= numSteps) {
      started = true;
      later.begin();
    }
  }

  @Override
  public long age(long step) {
    return serving().age(step);
  }

  @Override
  public double drift() {
    return serving().drift();
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new HashMap<>(serving().state());
    state.put(STATE_STARTED, SavedInt.of(started ? 1 : 0));
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    started = SavedInt.value(sections.apply(STATE_STARTED)) == 1;
    serving().restore(sections);
  }

  @Override
  public void close() {
    later.close();
  }
}
