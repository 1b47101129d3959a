// Log Analytics and Application Insights. Neither takes a key: an app writes as its identity.

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('How long logs are kept, in days.')
param logDays int

@description('Object ids of the apps\' identities.')
param principalIds string[]

// Built-in roles reference: Monitoring Metrics Publisher. It writes telemetry, and reads none.
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logDays
    features: {
      disableLocalAuth: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publishing 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(insights.id, principalId, metricsPublisher)
    scope: insights
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    }
  }
]

@description('Where telemetry is sent. With local authentication off it opens nothing by itself.')
output connectionString string = insights.properties.ConnectionString

@description('Resource id of the workspace, which the alerts query.')
output workspaceId string = workspace.id
