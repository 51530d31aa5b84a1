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
    /** Choosing the active classes: the search of an index, and which of its finds to take. */
    SELECT,
    /** Applying the steps that touched rows of both matrices have missed. */
    CATCH_UP,
    /** Logits of the active classes and the loss; weights are gathered tile by tile within. */
    LOSS,
    /** Gradients of embeddings and class weights, and the update of each row at once. */
    UPDATE,
    /** Gradient and update of the backbone. */
    BACKBONE,
    /** Repairing the index of the class weights. */
    REFRESH,
    /** Initial values of both matrices, and the first index. */
    START,
    /** Evaluating on held-out examples, and measuring the choice of classes. */
    EVALUATE,
    /** Writing checkpoints. */
    SAVE,
    /** All else: reports. */
    OTHER
  }

  private final Map<Stage, Long> nanos = new EnumMap<>(Stage.class);
  private Stage current = Stage.OTHER;
  private long since = System.nanoTime();
  private boolean held;

  /** Ends the running stage and begins another. */
  public void enter(Stage stage) {
    long now = System.nanoTime();
    nanos.merge(current, now - since, Long::sum);
    since = now;
    if (!held) {
      current = stage;
    }
  }

  /** Does work whose time is all of one stage, whatever stages are entered meanwhile. */
  public void during(Stage stage, Runnable work) {
    enter(stage);
    held = true;
    try {
      work.run();
    } finally {
      held = false;
    }
  }

  /** Seconds spent in each stage so far, the running one included, by name, as "catch up". */
  public Map<String, Double> seconds() {
    enter(current);
    var seconds = new LinkedHashMap<String, Double>();
    for (Stage stage : Stage.values()) {
      seconds.put(name(stage), nanos.getOrDefault(stage, 0L) * 1e-9);
    }
    return seconds;
  }

  private static String name(Stage stage) {
    return stage.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
