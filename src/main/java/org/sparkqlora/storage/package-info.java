/**
 * Files and folders that are written whole or not at all, on this host and on any Hadoop file system, where their user alone can put
 * them; and the only place that deletes or renames: nothing but what this program made is ever removed.
 */
@NullMarked
package org.sparkqlora.storage;

import org.jspecify.annotations.NullMarked;
