/** The pages of a run: curves and tables as HTML, in a tab of Spark's web UI and in a file of its own. */
@NullMarked
package org.sparkqlora.spark.ui;

import org.jspecify.annotations.NullMarked;
