module kubecause.test/service

go 1.22
