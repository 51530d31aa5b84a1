// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import megaclass.compute.ComputeBackend;

/**
 * What a step costs, in nominal nanoseconds of one core: counts of what is done, times what one of
 * it took where it was measured (bench kernels and stage times of runs, a core with AVX-512). Only
 * ratios matter, and they are the same on every machine, so that what is decided by them repeats.
 */
final class StepCost {
  /** A multiplication and addition of a matrix product. */
  private static final double PER_PRODUCT = 0.02;

  /** The products of a step: logits, gradient of the embeddings, gradient of the rows. */
  private static final double PRODUCTS = 3;

  /** A float of a row that is gathered and moved: about five passes over its memory. */
  private static final double PER_FLOAT_OF_ROW = 2.5;

  /** A word of a code that is compared. */
  private static final double PER_WORD = 0.5;

  /** A list that a sample looks into, beside its codes. */
  private static final double PER_PROBE = 400;

  /** A float of a candidate whose exact score is asked, and the candidate itself. */
  private static final double PER_FLOAT_OF_CANDIDATE = 0.15;

  private static final double PER_CANDIDATE = 60;

  /** A word of a code that is written anew. */
  private static final double PER_WORD_WRITTEN = 80;

  private final SelectionProblem problem;
  private final int numClasses;
  private final int width;

  StepCost(SelectionProblem problem) {
    this.problem = problem;
    numClasses = problem.weights().numClasses();
    width = problem.weights().matrix().width();
  }

  /** Loss, gradients and update of so many active classes. */
  double ofClasses(int numActive) {
    double products = PRODUCTS * PER_PRODUCT * width * problem.batchSize();
    return numActive * (products + PER_FLOAT_OF_ROW * width);
  }

  /** Building an index, one pass over all classes, and the search of so many usual steps. */
  double ofTuning(SelectorSpec.Ivf spec, int numSearches, int numActive) {
    var size = ClassIndexes.sizes(spec, problem.weights().numClasses(), problem.batchSize());
    double words = Math.ceilDiv(width, Long.SIZE);
    double assigned = size.numLists() * PER_PRODUCT * width;
    double build = numClasses * (assigned + words * PER_WORD_WRITTEN);
    double pass = PRODUCTS * PER_PRODUCT * width * ComputeBackend.PANEL * numClasses;
    return build + pass + numSearches * ofSearch(spec, 1, numActive);
  }

  /** Search, and upkeep of the index when so many classes move. */
  double ofSearch(SelectorSpec.Ivf spec, int effort, int numActive) {
    var size = ClassIndexes.sizes(spec, problem.weights().numClasses(), problem.batchSize());
    double words = Math.ceilDiv(width, Long.SIZE);
    double numProbes = Math.min((double) effort * size.numProbes(), size.numLists());
    double numCandidates = Math.min((double) effort * size.numCandidates(), numClasses);
    double codes = numProbes / size.numLists() * numClasses;
    double perSample =
        size.numLists() * PER_PRODUCT * width
            + numProbes * PER_PROBE
            + codes * words * PER_WORD
            + numCandidates * (PER_CANDIDATE + PER_FLOAT_OF_CANDIDATE * width);
    double repaired = (double) numClasses / spec.repairEvery();
    double repair = repaired * (size.numLists() * PER_PRODUCT * width + words * PER_WORD_WRITTEN);
    return problem.batchSize() * perSample + numActive * words * PER_WORD_WRITTEN + repair;
  }
}
