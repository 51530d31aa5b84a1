// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;

/**
 * What {@code megaclass bench evaluate} measured.
 *
 * @param date when it began
 * @param commit of this program
 * @param machine in a few words
 * @param compute backend and threads
 * @param numClasses that were looked among
 * @param dim floats of a class weight
 * @param samples whose best classes were looked for
 * @param k classes that were kept of each
 * @param exact with all classes
 * @param indexed through an index, by what it had to find
 */
record EvaluateResult(
    String date,
    String commit,
    String machine,
    String compute,
    int numClasses,
    int dim,
    int samples,
    int k,
    Exact exact,
    List<Indexed> indexed) {

  /**
   * All classes are scored.
   *
   * @param gigaflops of the products alone, 2 numClasses dim for each sample
   */
  record Exact(double seconds, double samplesPerSecond, double gigaflops) {}

  /**
   * Classes are looked for through an index.
   *
   * @param wantedRecall what was asked for
   * @param search what was chosen, in words
   * @param buildSeconds time of building the index
   * @param measureSeconds time of measuring what it finds, until it was enough
   * @param seconds time of all samples, without these two
   * @param speedup samples a second against scoring all classes
   * @param recall share of the k best classes of all samples that was found
   */
  record Indexed(
      double wantedRecall,
      String search,
      double buildSeconds,
      double measureSeconds,
      double seconds,
      double samplesPerSecond,
      double speedup,
      double recall) {}
}
