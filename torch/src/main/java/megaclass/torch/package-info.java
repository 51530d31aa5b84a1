// SPDX-License-Identifier: Apache-2.0
/**
 * Networks of layers as backbones, with LibTorch: they get images, hand embeddings to the head and
 * take its gradient back. Nothing of LibTorch's types leaves this package.
 */
@NullMarked
package megaclass.torch;

import org.jspecify.annotations.NullMarked;
