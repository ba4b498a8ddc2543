/** Records of data files, folders and tables: listing, splits, formats, and their order. */
@NullMarked
package org.sparkqlora.spark.source;

import org.jspecify.annotations.NullMarked;
