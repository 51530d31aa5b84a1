// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

/** The questions under which the help gathers the flags. */
public enum Question {
  /** The examples. */
  FROM_WHAT("From what"),
  /** Loss and backbone. */
  WHAT_TO_LEARN("What to learn"),
  /** The selector. */
  WHICH_CLASSES("Which classes"),
  /** Optimizer, epochs, batches. */
  HOW("How"),
  /** The machine. */
  WITH_WHAT("With what"),
  /** Evaluation. */
  HOW_GOOD("How good"),
  /** Checkpoints. */
  WHAT_IF_IT_STOPS("What if it stops"),
  /** Files and messages. */
  OUTPUT("Output");

  private final String heading;

  Question(String heading) {
    this.heading = heading;
  }

  /** The heading in the help. */
  public String heading() {
    return heading;
  }
}
