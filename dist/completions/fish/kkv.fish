complete --keep-order --exclusive --command kkv --arguments "(_KKV_COMPLETE=fish kkv -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
