// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Where the time of a run goes: whoever begins a stage says so, and the time until the next stage
 * begins is its. For the one thread that runs the steps.
 */
public final class StageClock {
  /** The stages of a step, in their order. */
  public enum Stage {
    /** Reading examples and finding the parameters they touch. */
    READ,
    /** Features to embeddings. */
    EMBED,
    /** Choosing the active classes. */
    SELECT,
    /** Logits of the active classes and the loss. */
    LOSS,
    /** Gradients of embeddings and class weights, and the update of the weights' rows. */
    UPDATE,
    /** Gradient and update of the backbone. */
    BACKBONE,
    /** Repairing the index of the class weights. */
    REFRESH,
    /** Initial values of both matrices, and the first index. */
    START,
    /** Evaluating on held-out examples. */
    EVALUATE,
    /** Writing checkpoints. */
    SAVE,
    /** All else: reports. */
    OTHER
  }

  private final Map<Stage, Long> nanos = new EnumMap<>(Stage.class);
  private Stage current = Stage.OTHER;
  private long since = System.nanoTime();

  /** Ends the running stage and begins another. */
  public void enter(Stage stage) {
    long now = System.nanoTime();
    nanos.merge(current, now - since, Long::sum);
    current = stage;
    since = now;
  }

  /** Seconds spent in each stage so far, the running one included, by its name in small letters. */
  public Map<String, Double> seconds() {
    enter(current);
    var seconds = new LinkedHashMap<String, Double>();
    for (Stage stage : Stage.values()) {
      seconds.put(stage.name().toLowerCase(Locale.ROOT), nanos.getOrDefault(stage, 0L) * 1e-9);
    }
    return seconds;
  }
}
