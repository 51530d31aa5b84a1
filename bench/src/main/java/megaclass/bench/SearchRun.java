// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

/**
 * What a search of an index found and cost.
 *
 * @param index what is searched: a line of the plot
 * @param effort how far it looked, in words
 * @param recall share of the ten best classes of a sample that it proposed
 * @param micros time of a sample, in microseconds, on all threads: median and range of repeats
 * @param buildSeconds time that building took
 */
record SearchRun(String index, String effort, double recall, Spread micros, double buildSeconds) {}
