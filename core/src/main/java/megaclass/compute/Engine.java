// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

/**
 * What a run computes with: arithmetic, threads, and the clock that tells where the time goes.
 *
 * @param backend the arithmetic
 * @param workers the threads
 * @param clock told by each stage of a step when it begins
 */
public record Engine(ComputeBackend backend, Workers workers, StageClock clock)
    implements AutoCloseable {
  /**
   * Starts the threads.
   *
   * @param backend "auto", "vector" or "scalar"
   * @param threads at least 1
   */
  public static Engine start(String backend, int threads) {
    return new Engine(ComputeBackend.named(backend), new Workers(threads), new StageClock());
  }

  /** Ends the threads. */
  @Override
  public void close() {
    workers.close();
  }
}
