// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.Map;

/**
 * What one fresh JVM measured of a {@link Cell}. Setup, warm-up and the measured window follow each
 * other; only the last one counts.
 *
 * @param samplesPerSecond in the measured window
 * @param steps in the measured window
 * @param seconds of the measured window
 * @param stageSeconds of the measured window, by stage of the step
 * @param cpuShare share of the window in which the threads had a core, in [0, 1] but for rounding:
 *     well below 1 says that threads waited, or that the machine was busy with something else
 * @param numActive active classes of the last step
 * @param loss mean loss of the last report, in nats: a run that diverged measures nothing
 * @param warmUp what came before the window
 * @param peakRssBytes most memory that the process ever had resident, 0 when unknown
 * @param ownBytes memory at the end of the window that is no file's, whose pages the system may
 *     drop; 0 when unknown
 * @param plannedBytes what the forecast had said, data included
 * @param backend that really computed, as "vector 512 bit"
 */
record CellRun(
    double samplesPerSecond,
    long steps,
    double seconds,
    Map<String, Double> stageSeconds,
    double cpuShare,
    int numActive,
    double loss,
    WarmUp warmUp,
    long peakRssBytes,
    long ownBytes,
    long plannedBytes,
    String backend) {

  /**
   * Time that is not in the result.
   *
   * @param dataSeconds to make the data
   * @param initialSeconds to allocate and fill the class weights
   * @param steps before the measured window
   * @param seconds of these steps
   */
  record WarmUp(double dataSeconds, double initialSeconds, long steps, double seconds) {}
}
