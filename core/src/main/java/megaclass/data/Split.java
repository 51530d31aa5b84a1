// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

/**
 * Two views of one data set, which stays their owner: close that one, after the views were used.
 *
 * @param train examples to learn from
 * @param test examples held out; none of them is in {@code train}
 */
public record Split(Dataset train, Dataset test) {}
