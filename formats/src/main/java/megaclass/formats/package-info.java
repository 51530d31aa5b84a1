// SPDX-License-Identifier: Apache-2.0
/**
 * Images, wherever they lie, become examples of one shape. Folders, lists, the containers of
 * InsightFace and the glyphs of installed fonts are catalogues of images; one source decodes them
 * on all cores.
 */
@NullMarked
package megaclass.formats;

import org.jspecify.annotations.NullMarked;
