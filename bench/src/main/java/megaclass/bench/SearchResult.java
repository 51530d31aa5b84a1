// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.List;

/**
 * What {@code megaclass bench search} measured.
 *
 * @param dim floats of a class weight
 * @param batch samples that are searched for at once
 * @param movedMicros time in which the inverted file takes note of a class weight that moved, on
 *     one thread
 * @param repairMicros time in which it repairs itself after a step, of a thousand steps a round
 */
record SearchResult(
    String date,
    String commit,
    String machine,
    String compute,
    int numClasses,
    int dim,
    int batch,
    double movedMicros,
    double repairMicros,
    List<SearchRun> runs) {}
